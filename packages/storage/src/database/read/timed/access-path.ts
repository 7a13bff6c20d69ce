import type { SqlConnection } from "../../sql/connection.ts";
import { type IndexDescription, indexesOf } from "./index-catalog.ts";
import type { TimedSource } from "./source.ts";

/** A way to walk rows in order of time once the values of some columns are fixed. */
export interface AccessPath {
  /** null: the table of tags. */
  readonly index: string | null;
  readonly columns: readonly string[];
}

export interface AccessPaths {
  readonly usable: readonly AccessPath[];
  /** Partial indexes for special orders, by their condition in lower case. */
  readonly partial: ReadonlyMap<string, string>;
}

/**
 * Reads from the database which indexes end in the time of the source, so that adding one is enough to have it
 * used. A partial index counts when its condition follows from the conditions that use it.
 */
export function readAccessPaths(connection: SqlConnection, source: TimedSource): AccessPaths {
  const usable: AccessPath[] = source.tags === null ? [] : [{ index: null, columns: ["tag"] }];
  const partial = new Map<string, string>();
  for (const { name, columns, condition } of indexesOf(connection, source.table)) {
    if (columns.at(-1) !== source.time) continue;
    const fixed = columns.slice(0, -1);
    if (isMet(condition, fixed, source)) usable.push({ index: name, columns: fixed });
    else if (condition !== null) partial.set(condition, name);
  }
  return { usable, partial };
}

function isMet(
  condition: IndexDescription["condition"],
  fixed: readonly string[],
  { always }: TimedSource,
): boolean {
  if (condition === null || condition === always) return true;
  return fixed.some((column) => condition === `${column} is not null`);
}
