import type { TypedContent } from "../content/validate-content.ts";
import type { NetworkSettings } from "../network/price-list.ts";
import { PriceDecimal } from "./amount.ts";
import { amountsOf, type CostLine } from "./cost-line.ts";
import type { PriceBook, ProductPriceBook } from "./price-book.ts";
import { PricingError, productPrices } from "./pricing-error.ts";

export type ExecutableContent = Extract<TypedContent, { type: "PROGRAM" | "INSTANCE" | "V-PROGRAM" }>;

export interface ExecutionCost {
  /** Whose volume prices and free disk apply. */
  readonly product: string;
  /** Compute units that the free disk is counted by. */
  readonly diskUnits: number;
  readonly lines: readonly CostLine[];
}

const GPU_CLASSES = ["premium", "standard"] as const;
type GpuClass = (typeof GPU_CLASSES)[number];
const GPU_PRODUCTS: Readonly<Record<GpuClass, string>> = {
  premium: "instance_gpu_premium",
  standard: "instance_gpu_standard",
};

/** The product under which a machine without GPUs is sold. Source: pyaleph `src/aleph/services/cost.py`. */
export function executionProduct(typed: ExecutableContent): string {
  switch (typed.type) {
    case "V-PROGRAM":
      return "instance_confidential";
    case "PROGRAM":
      return typed.content.on.persistent === true ? "program_persistent" : "program";
    case "INSTANCE":
      return isConfidential(typed) ? "instance_confidential" : "instance";
  }
}

const isConfidential = (typed: Extract<ExecutableContent, { type: "INSTANCE" }>): boolean =>
  typed.content.environment.trusted_execution !== null;

/**
 * Compute units and what they cost. An instance that asks for GPUs is priced by them, even a confidential one.
 *
 * @throws PricingError for a product or GPU that the price list does not have
 */
export function executionCost(
  typed: ExecutableContent,
  prices: PriceBook,
  settings: Pick<NetworkSettings, "compatible_gpus">,
  paysCredits: boolean,
): ExecutionCost {
  const gpus = typed.type === "INSTANCE" ? (typed.content.requirements?.gpu ?? []) : [];
  if (gpus.length > 0) return gpuCost(typed, gpus, prices, settings);
  const product = executionProduct(typed);
  const book = productPrices(prices, product);
  const units = computeUnits(typed, book);
  const line = executionLine(product, book, units * multiplier(typed), paysCredits);
  return { product, diskUnits: units, lines: [line] };
}

/** Whole units, by the scarcer of cores and memory; tiers are offers and do not round. */
export function computeUnits(typed: ExecutableContent, { unit }: ProductPriceBook): number {
  const { vcpus, memory } = typed.content.resources;
  return Math.max(vcpus, Math.ceil(memory / unit.memoryMib));
}

/** A function on demand that may reach the internet costs twice. */
function multiplier(typed: ExecutableContent): number {
  const isOnDemand = typed.type === "PROGRAM" && typed.content.on.persistent !== true;
  return isOnDemand && typed.content.environment.internet ? 2 : 1;
}

function executionLine(name: string, book: ProductPriceBook, units: number, minCredit: boolean): CostLine {
  if (book.compute === null)
    throw new PricingError("PRICE_COMPUTE_MISSING", `The price list has no compute unit for ${name}`);
  return {
    type: "EXECUTION",
    name,
    ref: null,
    sizeMib: null,
    quantity: new PriceDecimal(units),
    ...amountsOf(book.compute, new PriceDecimal(units), minCredit),
  };
}

function gpuCost(
  typed: ExecutableContent,
  gpus: readonly { readonly device_id: string }[],
  prices: PriceBook,
  settings: Pick<NetworkSettings, "compatible_gpus">,
): ExecutionCost {
  const units: Record<GpuClass, number> = { premium: 0, standard: 0 };
  for (const { device_id: deviceId } of gpus) {
    const tier = gpuTier(deviceId, prices, settings);
    units[tier.gpuClass] += tier.units;
  }
  const dominant: GpuClass = units.premium > 0 ? "premium" : "standard";
  const dominantUnits = computeUnits(typed, productPrices(prices, GPU_PRODUCTS[dominant]));
  const missing = dominantUnits - units.premium - units.standard;
  if (missing > 0) units[dominant] += missing;
  const lines = GPU_CLASSES.filter((gpuClass) => units[gpuClass] > 0).map((gpuClass) => {
    const product = GPU_PRODUCTS[gpuClass];
    return executionLine(product, productPrices(prices, product), units[gpuClass], false);
  });
  const product = GPU_PRODUCTS.premium;
  return { product, diskUnits: computeUnits(typed, productPrices(prices, product)), lines };
}

/** The tier of a device; of several models with that id the first that is for sale counts. */
function gpuTier(
  deviceId: string,
  prices: PriceBook,
  settings: Pick<NetworkSettings, "compatible_gpus">,
): { readonly gpuClass: GpuClass; readonly units: number } {
  const models = settings.compatible_gpus.filter((gpu) => gpu.device_id === deviceId).map((gpu) => gpu.model);
  const [first] = models;
  if (first === undefined) {
    throw new PricingError("PRICE_GPU_UNKNOWN", `GPU device_id ${deviceId} not found in compatible GPUs`);
  }
  for (const model of models) {
    for (const gpuClass of GPU_CLASSES) {
      const tier = prices.get(GPU_PRODUCTS[gpuClass])?.tiers?.find((one) => one.model === model);
      if (tier !== undefined) return { gpuClass, units: tier.compute_units };
    }
  }
  const reason = `GPU model ${first} not found in any pricing tier (premium or standard)`;
  throw new PricingError("PRICE_GPU_UNPRICED", reason);
}
