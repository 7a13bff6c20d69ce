import { encodeItemHash, isItemHash } from "@twentysix/protocol";
import type { SqlConnection } from "../sql/connection.ts";

/** Ids of those items that this node has an opinion on, without duplicates. */
export function idsOfHashes(connection: SqlConnection, itemHashes: readonly string[]): number[] {
  const ids = new Set<number>();
  for (const itemHash of itemHashes) {
    const id = idOfHash(connection, itemHash);
    if (id !== null) ids.add(id);
  }
  return [...ids];
}

export function idOfHash(connection: SqlConnection, itemHash: string): number | null {
  if (!isItemHash(itemHash, { anyCidV1: true })) return null;
  const row = connection.get<{ id: number }>("SELECT id FROM items WHERE hash = ?", encodeItemHash(itemHash));
  return row?.id ?? null;
}
