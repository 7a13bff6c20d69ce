import { isItemHash } from "@twentysix/protocol";
import type { SqlConnection } from "../../sql/connection.ts";
import { idOfHash } from "../item-ids.ts";
import type { FileOfReference } from "./ledger-views.ts";

const OF_TAG =
  "SELECT f.size FROM file_tags AS t CROSS JOIN files AS f WHERE t.tag = ? AND f.hash = t.file_hash";
const OF_FILE = "SELECT size FROM files WHERE hash = ?";
const OF_LIVE = "SELECT content_hash FROM messages WHERE id = ?";
const OF_FORGOTTEN = "SELECT content_hash FROM forgotten WHERE id = ?";

/**
 * Bytes of the file that a reference leads to: the newest of its tag, else that of the STORE, even a forgotten one
 * whose file is kept. What leads nowhere has no size.
 */
export function referencedBytes(
  connection: SqlConnection,
  { hash, useLatest }: FileOfReference,
): number | null {
  if (!isItemHash(hash, { anyCidV1: true })) return null;
  const tagged = useLatest ? connection.get<{ size: number }>(OF_TAG, hash) : undefined;
  if (tagged !== undefined) return tagged.size;
  const itemId = idOfHash(connection, hash);
  if (itemId === null) return null;
  for (const query of [OF_LIVE, OF_FORGOTTEN]) {
    const file = connection.get<{ content_hash: Uint8Array | null }>(query, itemId)?.content_hash ?? null;
    if (file !== null) return connection.get<{ size: number }>(OF_FILE, file)?.size ?? null;
  }
  return null;
}
