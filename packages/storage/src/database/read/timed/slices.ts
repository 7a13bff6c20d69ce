import { sql } from "kysely";
import type { Fragment } from "../compile-sql.ts";
import type { Bounds } from "./arm-sql.ts";
import { fetchKeys } from "./fetch-keys.ts";
import type { Located, Wanted } from "./locate.ts";
import type { Position, RowKey } from "./source.ts";

/** A list that is walked in parts, each between two values of its first sort key. */
export interface SliceWalk {
  readonly bounds: Bounds;
  /** The first sort key that many rows further, on the index alone. */
  keyAt(bounds: Bounds, offset: number): bigint | undefined;
  /** The matching rows within bounds, in order. */
  rows(bounds: Bounds, after: Position | null): Fragment;
}

export interface Walked {
  readonly found: RowKey[];
  /** Matching rows that are still to be skipped. */
  readonly skip: number;
}

/** Index entries examined by one statement; grows when few rows match. */
const FIRST_SLICE_ROWS = 1_024;
const LAST_SLICE_ROWS = 16_384;

/**
 * Examines rows slice by slice, so that a condition that rarely holds never blocks the thread for long. A slice
 * ends with a whole moment: rows of one moment are ordered by their hash, which the index does not have.
 */
export function walkSlices(walk: SliceWalk, list: Located, wanted: Wanted): Walked {
  const found: RowKey[] = [];
  let { bounds } = walk;
  let { skip, after } = wanted;
  for (let size = FIRST_SLICE_ROWS; ; size = Math.min(size * 2, LAST_SLICE_ROWS)) {
    list.budget.checkpoint();
    const end = walk.keyAt(bounds, size - 1);
    const missing = skip + wanted.limit - found.length;
    const slice = end === undefined ? bounds : until(bounds, end, wanted);
    const matches = fetchKeys(list.connection, sql`${walk.rows(slice, after)} limit ${missing}`);
    found.push(...matches.slice(skip));
    skip = Math.max(0, skip - matches.length);
    if (matches.length >= missing || end === undefined) return { found, skip };
    bounds = beyond(bounds, end, wanted);
    after = null;
  }
}

function until(bounds: Bounds, key: bigint, { direction }: Wanted): Bounds {
  return direction === "desc" ? { ...bounds, lowestMicros: key } : { ...bounds, highestMicros: key };
}

function beyond(bounds: Bounds, key: bigint, { direction }: Wanted): Bounds {
  return direction === "desc"
    ? { ...bounds, highestMicros: key - 1n }
    : { ...bounds, lowestMicros: key + 1n };
}
