import type { SqlConnection } from "../../sql/connection.ts";
import { compileSql, type Fragment } from "../compile-sql.ts";
import type { RowKey } from "./source.ts";

interface KeyRow {
  readonly id: bigint;
  readonly k: bigint;
  readonly k1?: bigint;
  readonly hash: Uint8Array;
}

/** Runs a statement that gives `id`, `k`, perhaps `k1`, and `hash`. */
export function fetchKeys(connection: SqlConnection, rows: Fragment): RowKey[] {
  const { sql: text, parameters } = compileSql(rows);
  return connection.allBig<KeyRow>(text, ...parameters).map(({ id, k, k1, hash }) => ({
    id: Number(id),
    keys: k1 === undefined ? [k] : [k, k1],
    hash,
  }));
}
