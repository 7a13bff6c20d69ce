/** Where a range begins: the first half-bytes of its keys, as lower-case hexadecimal digits; empty for all keys. */
export type Prefix = string;

/** A key with the digest of what stands under it, both in lower-case hexadecimal. */
export interface Leaf {
  readonly key: string;
  readonly digest: string;
}

/** What one side has in a range; digests are shortened with the salt of the comparison (`short-digest.ts`). */
export type RangeNode =
  | { readonly kind: "none" }
  /** Split in sixteen; null where a part is empty. */
  | { readonly kind: "inner"; readonly children: readonly (string | null)[] }
  /** Few enough to be told one by one. */
  | { readonly kind: "leaves"; readonly shorts: readonly string[] }
  /** More than fits, and not summed up yet: to be asked again later. */
  | { readonly kind: "unready" };

/** Some leaves of a range, by their shortened digests. */
export interface WantedLeaves {
  readonly prefix: Prefix;
  readonly shorts: readonly string[];
}

/** The side that is asked, which may lie. */
export interface RemoteRanges {
  nodes(prefixes: readonly Prefix[]): Promise<readonly RangeNode[]>;
  /** Those that are still there. */
  leaves(wanted: readonly WantedLeaves[]): Promise<readonly Leaf[]>;
}

/** The side that asks. */
export interface OwnRanges {
  nodes(prefixes: readonly Prefix[]): Promise<readonly RangeNode[]>;
  /** The digest under each key; null where there is nothing. */
  digests(keys: readonly string[]): Promise<readonly (string | null)[]>;
}

/** Half-bytes of the longest prefix: deeper, ranges are not split. */
export const MAX_PREFIX_DIGITS = 60;
/** Leaves of one range that are told one by one. */
export const MAX_RANGE_LEAVES = 256;
/** Ranges asked about at once. */
export const MAX_PREFIXES = 128;
/** Leaves asked for, or told, at once. */
export const MAX_LEAVES = 1_024;
