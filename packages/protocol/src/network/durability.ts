import { closedObject, nullable, optional, required, withRules } from "../content/composite-checks.ts";
import { integer } from "../content/scalar-checks.ts";
import { type Check, INVALID } from "../content/validation.ts";
import { count, positive } from "./strict-checks.ts";

/** How large files are kept in pieces: any `dataShards` of `totalShards` shards give the file. */
export type ErasureRule = {
  readonly dataShards: number;
  readonly totalShards: number;
  /** Smaller files are kept as copies: a piece of a kilobyte saves nothing. */
  readonly minFileBytes: number;
};

/** How a network keeps files. Contents of messages are kept by every node in any case. */
export type Durability = {
  /** Nodes that keep each stored file that has no shards; null: all of them. */
  readonly copies: number | null;
  /** How often each copy has to be proven to those who count on it. */
  readonly auditSeconds: number;
  /** A node that is away for less than this is still counted on: nothing is copied for its sake. */
  readonly outageSeconds: number;
  /** Absent: files are kept whole. */
  readonly erasure?: ErasureRule;
};

/** What becomes of one file. */
export type DurabilityClass =
  | { readonly kind: "copies"; readonly copies: number | null }
  | { readonly kind: "erasure"; readonly dataShards: number; readonly totalShards: number };

export const EVERYONE: Durability = { copies: null, auditSeconds: 3_600, outageSeconds: 600 };

export const MAX_SHARDS = 64;

const erasureRule = withRules(
  closedObject<ErasureRule>({
    dataShards: required(integer({ min: 2, max: MAX_SHARDS, strict: true })),
    totalShards: required(integer({ min: 3, max: MAX_SHARDS, strict: true })),
    minFileBytes: required(count),
  }),
  ({ dataShards, totalShards }) =>
    dataShards < totalShards
      ? null
      : "with as many data shards as there are shards, the loss of one is that of all",
);

const fields = closedObject<Omit<Durability, "erasure"> & { readonly erasure: ErasureRule | null }>({
  copies: required(nullable(integer({ min: 2, max: MAX_SHARDS, strict: true }))),
  auditSeconds: required(positive),
  outageSeconds: required(positive),
  erasure: optional(erasureRule),
});

/** What is absent stays so: it is part of what the network's hash is made of. */
export const durability: Check<Durability> = (value, at) => {
  const result = fields(value, at);
  if (result === INVALID) return INVALID;
  const { erasure, ...rest } = result;
  return erasure === null ? rest : { ...rest, erasure };
};

/** The class of a file by its size, which every node counts for itself. */
export function durabilityOf({ copies, erasure }: Durability, sizeBytes: number): DurabilityClass {
  if (erasure === undefined || sizeBytes < Math.max(1, erasure.minFileBytes))
    return { kind: "copies", copies };
  const { dataShards, totalShards } = erasure;
  return { kind: "erasure", dataShards, totalShards };
}
