import type { SqliteConnection } from "../../sqlite/connection.ts";
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
export function readAccessPaths(connection: SqliteConnection, source: TimedSource): AccessPaths {
  const usable: AccessPath[] = source.tags === null ? [] : [{ index: null, columns: ["tag"] }];
  const partial = new Map<string, string>();
  const indexes = connection.all<{ name: string; sql: string | null }>(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?",
    source.table,
  );
  for (const { name, sql } of indexes) {
    const columns = connection
      .all<{ name: string }>(`SELECT name FROM pragma_index_info(?) ORDER BY seqno`, name)
      .map((column) => column.name);
    if (columns.at(-1) !== source.time || sql === null) continue;
    const condition = conditionOf(sql);
    const fixed = columns.slice(0, -1);
    if (
      condition === null ||
      fixed.some((column) => condition === `${column} is not null`) ||
      condition === source.always
    ) {
      usable.push({ index: name, columns: fixed });
    } else {
      partial.set(condition, name);
    }
  }
  return { usable, partial };
}

function conditionOf(sql: string): string | null {
  const match = /\bwhere\b(.*)$/is.exec(sql);
  return match?.[1] === undefined ? null : match[1].trim().toLowerCase();
}
