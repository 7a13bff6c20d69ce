import type { PriceBook, ProductPriceBook } from "./price-book.ts";

export const PRICING_ERROR_CODES = [
  "PRICE_PRODUCT_MISSING",
  "PRICE_COMPUTE_MISSING",
  "PRICE_GPU_UNKNOWN",
  "PRICE_GPU_UNPRICED",
] as const;
export type PricingErrorCode = (typeof PRICING_ERROR_CODES)[number];

/** The price list in force has no price for what is asked. */
export class PricingError extends Error {
  readonly code: PricingErrorCode;

  constructor(code: PricingErrorCode, message: string) {
    super(message);
    this.name = "PricingError";
    this.code = code;
  }
}

/** @throws PricingError PRICE_PRODUCT_MISSING */
export function productPrices(prices: PriceBook, product: string): ProductPriceBook {
  const book = prices.get(product);
  if (book === undefined)
    throw new PricingError("PRICE_PRODUCT_MISSING", `The price list has no product ${product}`);
  return book;
}
