import type { ItemFact, RemovedMessage } from "@twentysix/state";
import { findFile } from "./load-files.ts";
import type { WriterSession } from "./writer-session.ts";

/** What a message without payment counts as once it is removed. */
const DEFAULT_PAYMENT = "hold";

/** Keeps what is needed to tell of a removed message, and to take it back, beside its copies. */
export function saveRemoved(session: WriterSession, id: number, hash: string, removed: RemovedMessage): void {
  const { message, removedMicros, sizeBytes } = removed;
  const live = session.connection.getBig<{
    copy_id: bigint;
    confirmed_us: bigint;
    confirmed_height: bigint;
    envelope: string | null;
  }>(
    `SELECT m.copy_id, m.confirmed_us, m.confirmed_height, c.envelope FROM messages m
     LEFT JOIN copies c ON c.id = m.copy_id WHERE m.id = ?`,
    id,
  );
  if (live === undefined) throw new Error(`Removed message ${hash} was not live`);
  session.connection.run(
    `INSERT INTO removed (id, type, chain_id, sender_id, owner_id, channel_id, item_type, payment_id, signature, time_us,
       size, removed_us, copy_id, label_id, live_payment_id, ref, content_hash, content_time_us, content_size,
       size_bytes, confirmed_us, confirmed_height)
     SELECT id, type, chain_id, sender_id, owner_id, channel_id, item_type, CAST(? AS BIGINT), CAST(? AS TEXT),
       time_us, CAST(? AS BIGINT), CAST(? AS BIGINT), copy_id, label_id,
       payment_id, ref, content_hash, content_time_us, size, size_bytes, confirmed_us, confirmed_height
     FROM messages WHERE id = ?`,
    session.labels.intern(message.paymentType ?? DEFAULT_PAYMENT),
    signatureOf(live.envelope),
    sizeBytes,
    removedMicros,
    id,
  );
  session.connection.run(
    "INSERT INTO removed_tags (removed_id, tag_id) SELECT message_id, tag_id FROM message_tags WHERE message_id = ?",
    id,
  );
}

function signatureOf(envelope: string | null): string | null {
  const { signature } = JSON.parse(envelope ?? "{}") as { signature?: unknown };
  return typeof signature === "string" ? signature : null;
}

/** The message is live again, or forgotten. */
export function dropRemoved(session: WriterSession, id: number): void {
  session.connection.run("DELETE FROM removed WHERE id = ?", id);
  session.connection.run("DELETE FROM removed_tags WHERE removed_id = ?", id);
  session.connection.run("DELETE FROM removed_bills WHERE id = ?", id);
}

/** What is about to be removed is no longer among the files of its owner, though its pin still keeps it. */
export function countHiddenFile(session: WriterSession, before: ItemFact | null, after: ItemFact): void {
  const shown = (before?.status === "removing" ? 1 : 0) - (after.status === "removing" ? 1 : 0);
  const message = before?.live ?? after.live;
  if (shown === 0 || message === null || message.type !== "STORE" || message.contentHash === null) return;
  const owner = session.addresses.intern(message.owner);
  const fileId = findFile(session, message.contentHash);
  const size =
    fileId === null
      ? 0
      : (session.connection.get<{ size: number }>("SELECT size FROM files WHERE id = ?", fileId)?.size ?? 0);
  session.counters.add("ownerFiles", owner, 0, shown);
  session.counters.add("ownerFileBytes", owner, 0, shown * size);
}
