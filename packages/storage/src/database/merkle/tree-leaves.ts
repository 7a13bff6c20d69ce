import type { SqlConnection } from "../sql/connection.ts";
import type { Leaf, ReadLeaves } from "./merkle-tree.ts";

/** Accepted and forgotten messages in the order of their hashes. */
export function messageLeaves(connection: SqlConnection): ReadLeaves {
  return (from, to, limit) =>
    to === null
      ? connection.all<Leaf>(
          "SELECT hash AS key, leaf AS digest FROM items WHERE hash >= ? AND leaf IS NOT NULL ORDER BY hash LIMIT ?",
          from,
          limit,
        )
      : connection.all<Leaf>(
          "SELECT hash AS key, leaf AS digest FROM items WHERE hash >= ? AND hash < ? AND leaf IS NOT NULL ORDER BY hash LIMIT ?",
          from,
          to,
          limit,
        );
}

/** What messages derive, in the order of its keys. */
export function derivedLeaves(connection: SqlConnection): ReadLeaves {
  return (from, to, limit) =>
    to === null
      ? connection.all<Leaf>(
          "SELECT key, digest FROM derived_leaves WHERE key >= ? ORDER BY key LIMIT ?",
          from,
          limit,
        )
      : connection.all<Leaf>(
          "SELECT key, digest FROM derived_leaves WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
          from,
          to,
          limit,
        );
}
