import type { PriceList, PriceRow, ProductPrices } from "../network/price-list.ts";
import { PriceDecimal, perSecond, ZERO } from "./amount.ts";

/** Prices of one unit: tokens held, tokens a second, credits a second; of published rates an hour, once rounded. */
export interface UnitPrices {
  readonly hold: PriceDecimal;
  readonly streamPerSecond: PriceDecimal;
  readonly creditPerSecond: PriceDecimal;
}

export interface ComputeUnit {
  readonly memoryMib: number;
  /** Disk that comes free with each unit. */
  readonly diskMib: number;
}

export interface ProductPriceBook {
  /** Per MiB. */
  readonly storage: UnitPrices;
  /** Per compute unit; null for products that have none. */
  readonly compute: UnitPrices | null;
  readonly unit: ComputeUnit;
  readonly tiers: ProductPrices["tiers"];
}

export type PriceBook = ReadonlyMap<string, ProductPriceBook>;

/** Without tiers a compute unit has this size, and no disk comes with it. */
const DEFAULT_UNIT: ComputeUnit = { memoryMib: 2048, diskMib: 0 };

/** A price list as the arithmetic reads it. Source: pyaleph `src/aleph/types/cost.py`. */
export function priceBookOf(list: PriceList): PriceBook {
  return new Map(Object.entries(list).map(([product, prices]) => [product, productOf(prices)]));
}

function productOf({ price, tiers, compute_unit: unit }: ProductPrices): ProductPriceBook {
  const hasTiers = tiers !== null && tiers.length > 0;
  return {
    storage: unitPrices(price.storage),
    compute: unit === null || price.compute_unit === null ? null : unitPrices(price.compute_unit),
    unit: unit !== null && hasTiers ? { memoryMib: unit.memory_mib, diskMib: unit.disk_mib } : DEFAULT_UNIT,
    tiers,
  };
}

function unitPrices(row: PriceRow | null): UnitPrices {
  const read = (text: string | null | undefined): PriceDecimal =>
    text === null || text === undefined ? ZERO : new PriceDecimal(text);
  return {
    hold: read(row?.holding),
    streamPerSecond: perSecond(read(row?.payg)),
    creditPerSecond: perSecond(read(row?.credit)),
  };
}
