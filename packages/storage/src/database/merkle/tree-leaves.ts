import type { SqlConnection, SqlValue } from "../sql/connection.ts";
import type { DialectName } from "../sql/dialect.ts";
import type { LeafRange, ReadLeaves } from "./merkle-tree.ts";

/** Accepted and forgotten messages by their hashes. */
export const messageLeaves = (connection: SqlConnection): ReadLeaves =>
  readerOf(connection, "SELECT hash AS key, leaf AS digest FROM items WHERE leaf IS NOT NULL", "hash");

/** What messages derive, by its keys. */
export const derivedLeaves = (connection: SqlConnection): ReadLeaves =>
  readerOf(connection, "SELECT key, digest FROM derived_leaves WHERE TRUE", "key");

/** As they go into the digest of a bucket; put together by the database, since a row costs more than its bytes. */
const JOINED: Readonly<Record<DialectName, string>> = {
  sqlite:
    "count(*) AS n, group_concat(printf('%02X', length(key)) || hex(key) || hex(digest), '' ORDER BY key) AS leaves",
  postgres:
    "count(*) AS n, string_agg(lpad(to_hex(length(key)), 2, '0') || encode(key, 'hex') || encode(digest, 'hex'), '' ORDER BY key) AS leaves",
};

function readerOf(connection: SqlConnection, rows: string, key: string): ReadLeaves {
  const joined = JOINED[connection.dialect.name];
  const from = `SELECT ${joined} FROM (${rows} AND ${key} >= ? ORDER BY ${key} LIMIT ?) AS x`;
  const between = `SELECT ${joined} FROM (${rows} AND ${key} >= ? AND ${key} < ? ORDER BY ${key} LIMIT ?) AS x`;
  const read = (sql: string, ...parameters: SqlValue[]): LeafRange => {
    const row = connection.get<{ n: number; leaves: string | null }>(sql, ...parameters);
    return { count: row?.n ?? 0, bytes: Buffer.from(row?.leaves ?? "", "hex") };
  };
  return (first, behind, limit) =>
    behind === null ? read(from, first, limit) : read(between, first, behind, limit);
}
