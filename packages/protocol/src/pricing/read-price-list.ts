import { list, openObject, optional, record, required } from "../content/composite-checks.ts";
import { type Check, INVALID, Validation } from "../content/validation.ts";
import { isJsonObject, type JsonValue } from "../json/json-value.ts";
import type {
  CompatibleGpu,
  NetworkSettings,
  PriceList,
  PriceRow,
  ProductPrices,
} from "../network/price-list.ts";
import { count, positive, seconds, text } from "../network/strict-checks.ts";
import { PriceDecimal } from "./amount.ts";

/*
 * The price aggregates as a network publishes them. Keys that nobody here needs are ignored; a figure that is no
 * price makes the whole list unusable, so that the last good one stays in force.
 * Source: pyaleph `src/aleph/toolkit/costs.py`, `src/aleph/types/settings.py`.
 */

export type PriceListResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problems: readonly string[] };

const PRICE = /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

/** A decimal text; a number is tolerated. */
const price: Check<string> = (value, at) => {
  const read = typeof value === "number" || typeof value === "bigint" ? plain(value) : value;
  if (typeof read === "string" && read.length <= 64 && PRICE.test(read)) return read;
  return at.fail("value_error", "Value error, a price is a decimal that is not negative", value);
};

/** A number without an exponent. */
function plain(value: number | bigint): string {
  if (typeof value === "bigint" || !/e/i.test(String(value))) return String(value);
  // The decimal that its shortest text means, and not the binary fraction that stands for it.
  return new PriceDecimal(String(value)).toFixed();
}

const row = openObject<PriceRow>({
  payg: optional(price),
  holding: optional(price),
  credit: optional(price),
});

const product = openObject<ProductPrices>({
  price: required(
    openObject<ProductPrices["price"]>({
      storage: optional(row),
      compute_unit: optional(row),
      fixed: optional(count),
    }),
  ),
  tiers: optional(
    list(
      openObject<NonNullable<ProductPrices["tiers"]>[number]>({
        id: required(text),
        compute_units: required(positive),
        vram: optional(count),
        model: optional(text),
      }),
    ),
  ),
  compute_unit: optional(
    openObject<NonNullable<ProductPrices["compute_unit"]>>({
      vcpus: required(positive),
      disk_mib: required(count),
      memory_mib: required(positive),
    }),
  ),
});

const priceList = record<ProductPrices>({ value: () => product });

/** Products that the formulas ask for. */
const NEEDED_PRODUCTS: ReadonlySet<string> = new Set([
  "storage",
  "program",
  "program_persistent",
  "instance",
  "instance_confidential",
  "instance_gpu_standard",
  "instance_gpu_premium",
]);

const settings = openObject<NetworkSettings>({
  compatible_gpus: required(
    list(
      openObject<CompatibleGpu>({
        name: required(text),
        model: required(text),
        vendor: required(text),
        device_id: required(text),
      }),
    ),
  ),
  community_wallet_address: optional(text),
  community_wallet_timestamp: optional(seconds),
  authorized_allocation_signers: { check: list(text), whenAbsent: () => [] },
});

/** Reads the content of a `pricing` aggregate. A product that no formula asks for may have any shape. */
export function readPriceList(content: JsonValue): PriceListResult<PriceList> {
  if (!isJsonObject(content)) return read(content, priceList);
  const products = Object.entries(content).filter(
    ([name, value]) => NEEDED_PRODUCTS.has(name) || read({ [name]: value }, priceList).ok,
  );
  return read(Object.fromEntries(products), priceList);
}

/** Reads the content of a `settings` aggregate. */
export function readNetworkSettings(content: JsonValue): PriceListResult<NetworkSettings> {
  return read(content, settings);
}

function read<Value>(content: JsonValue, check: Check<Value>): PriceListResult<Value> {
  const validation = new Validation([], {});
  const value = check(content, validation);
  if (value !== INVALID) return { ok: true, value };
  return { ok: false, problems: validation.problems.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`) };
}

/** What is odd about a list that can be used: devices that are named twice, models that nobody sells, tiers in disorder. */
export function priceListWarnings(list: PriceList, { compatible_gpus: gpus }: NetworkSettings): string[] {
  const sold = new Set(
    Object.values(list).flatMap(({ tiers }) =>
      (tiers ?? []).flatMap(({ model }) => (model === null ? [] : [model])),
    ),
  );
  const seen = new Set<string>();
  const warnings: string[] = [];
  for (const { device_id: deviceId, model } of gpus) {
    if (seen.has(deviceId)) warnings.push(`device ${deviceId} is listed more than once`);
    seen.add(deviceId);
    if (!sold.has(model)) warnings.push(`model ${model} of device ${deviceId} is in no tier`);
  }
  for (const [product, { tiers }] of Object.entries(list)) {
    const units = (tiers ?? []).map((tier) => tier.compute_units);
    if (units.some((count, index) => count <= (units[index - 1] ?? 0)))
      warnings.push(`tiers of ${product} are not in ascending order`);
  }
  return warnings;
}
