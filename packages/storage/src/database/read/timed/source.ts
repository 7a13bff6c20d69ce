import type { SqlValue } from "../../sql/connection.ts";
import type { Fragment } from "../compile-sql.ts";

/** A table whose rows are listed by (time, item hash). Its rows are called `m` in fragments. */
export interface TimedSource {
  readonly table: "messages" | "posts" | "items" | "pins";
  readonly time: "time_us" | "updated_us" | "reception_us" | "created_us";
  /** Column that holds the id of the item whose hash breaks ties; null when the table has the hash itself. */
  readonly itemColumn: "id" | "item_id" | null;
  /** A condition that every listed row meets, as literal text so that partial indexes are found. */
  readonly always: string | null;
  /** The table of tags, keyed by (tag_id, time, row id); its condition is called `tag`. */
  readonly tags: {
    readonly table: "message_tags" | "post_tags";
    readonly rowId: "message_id" | "post_id";
  } | null;
  /** Columns with few possible values: an index that has one in the middle is walked once per value. */
  readonly enumerable: Readonly<Record<string, readonly number[]>>;
  /** How many rows have one of these values in each of these columns, from counters; null: not known. */
  estimate(columns: readonly string[], values: readonly (readonly SqlValue[])[]): number | null;
}

/** Which rows are wanted: values of one column are alternatives, everything else must hold. */
export interface Selection {
  readonly conditions: ReadonlyMap<string, readonly SqlValue[]>;
  /** Further predicates on `m`. */
  readonly extra: readonly Fragment[];
  /** Only rows with (true) or without (false) a confirmation pass `extra`. */
  readonly isConfirmed?: boolean;
  /** Inclusive bounds of the time. */
  readonly lowestMicros: bigint | null;
  readonly highestMicros: bigint | null;
}

/** Place of a row in a list: its sort values, then its hash (ascending whatever the direction). */
export interface RowKey {
  readonly id: number;
  readonly keys: readonly bigint[];
  readonly hash: Uint8Array;
}
export type Position = Omit<RowKey, "id">;
