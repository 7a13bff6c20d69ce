import { sql } from "kysely";
import { compileSql, type Fragment } from "../compile-sql.ts";
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
  /** As many rows as match within bounds, in no order and without their hashes. */
  matches(bounds: Bounds): Fragment;
}

export interface Walked {
  readonly found: RowKey[];
  /** Matching rows that are still to be skipped. */
  readonly skip: number;
}

/** A deeper page counts what matches in the slices before it: only the slice that it begins in is put in order. */
const COUNTED_SKIP_ROWS = 200;

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
    const slice = end === undefined ? bounds : until(bounds, end, wanted);
    const passed = after === null && skip >= COUNTED_SKIP_ROWS ? countOf(list, walk.matches(slice)) : null;
    if (passed !== null && passed <= skip) skip -= passed;
    else {
      const missing = skip + wanted.limit - found.length;
      const matches = fetchKeys(list.connection, sql`${walk.rows(slice, after)} limit ${missing}`);
      found.push(...matches.slice(skip));
      skip = Math.max(0, skip - matches.length);
      if (matches.length >= missing) return { found, skip };
    }
    if (end === undefined) return { found, skip };
    bounds = beyond(bounds, end, wanted);
    after = null;
  }
}

function countOf({ connection }: Located, rows: Fragment): number {
  const { sql: text, parameters } = compileSql(sql`select count(*) as n from (${rows}) as rows`);
  return connection.get<{ n: number }>(text, ...parameters)?.n ?? 0;
}

function until(bounds: Bounds, key: bigint, { direction }: Wanted): Bounds {
  return direction === "desc" ? { ...bounds, lowestMicros: key } : { ...bounds, highestMicros: key };
}

function beyond(bounds: Bounds, key: bigint, { direction }: Wanted): Bounds {
  return direction === "desc"
    ? { ...bounds, highestMicros: key - 1n }
    : { ...bounds, lowestMicros: key + 1n };
}
