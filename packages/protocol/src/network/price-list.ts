import { closedObject, list, nullable, optional, record, required } from "../content/composite-checks.ts";
import { decimal, positive, seconds, text } from "./strict-checks.ts";

/*
 * Default contents of the two price aggregates, in the keys that they have on the wire. They are in force until
 * the network's own aggregates arrive.
 * Source: pyaleph `src/aleph/toolkit/constants.py`.
 */

/** Decimal texts; null counts as zero. */
export type PriceRow = {
  /** Tokens per hour. */
  readonly payg: string | null;
  /** Tokens held. */
  readonly holding: string | null;
  /** Credits per hour. */
  readonly credit: string | null;
};

export type ProductPrices = {
  readonly price: {
    /** Per MiB. */
    readonly storage: PriceRow | null;
    /** Per compute unit. */
    readonly compute_unit: PriceRow | null;
    readonly fixed: number | null;
  };
  readonly tiers: readonly PriceTier[] | null;
  readonly compute_unit: {
    readonly vcpus: number;
    readonly disk_mib: number;
    readonly memory_mib: number;
  } | null;
};

export type PriceTier = {
  readonly id: string;
  readonly compute_units: number;
  /** MiB, of GPU tiers. */
  readonly vram: number | null;
  readonly model: string | null;
};

export type PriceList = { readonly [product: string]: ProductPrices };

const priceRow = closedObject<PriceRow>({
  payg: optional(decimal),
  holding: optional(decimal),
  credit: optional(decimal),
});

const productPrices = closedObject<ProductPrices>({
  price: required(
    closedObject<ProductPrices["price"]>({
      storage: optional(priceRow),
      compute_unit: optional(priceRow),
      fixed: optional(positive),
    }),
  ),
  tiers: optional(
    list(
      closedObject<PriceTier>({
        id: required(text),
        compute_units: required(positive),
        vram: optional(positive),
        model: optional(text),
      }),
    ),
  ),
  compute_unit: optional(
    closedObject<NonNullable<ProductPrices["compute_unit"]>>({
      vcpus: required(positive),
      disk_mib: required(positive),
      memory_mib: required(positive),
    }),
  ),
});

export const priceList = record<ProductPrices>({ value: () => productPrices });

export type NetworkSettings = {
  /** The first entry of a device is the one that counts. */
  readonly compatible_gpus: readonly CompatibleGpu[];
  readonly community_wallet_address: string | null;
  /** Unix seconds; the community share applies to machines started later. */
  readonly community_wallet_timestamp: number | null;
  /** Who may tell compute nodes what to run. */
  readonly authorized_allocation_signers: readonly string[];
};

export type CompatibleGpu = {
  readonly name: string;
  readonly model: string;
  readonly vendor: string;
  readonly device_id: string;
};

export const networkSettings = closedObject<NetworkSettings>({
  compatible_gpus: required(
    list(
      closedObject<CompatibleGpu>({
        name: required(text),
        model: required(text),
        vendor: required(text),
        device_id: required(text),
      }),
    ),
  ),
  community_wallet_address: required(nullable(text)),
  community_wallet_timestamp: required(nullable(seconds)),
  authorized_allocation_signers: required(list(text)),
});
