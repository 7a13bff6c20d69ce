import { encodeItemHash } from "@twentysix/protocol";
import type { Change, ForgottenMessage, ItemFact, LiveMessage } from "@twentysix/state";
import { ITEM_TYPE_CODE, MESSAGE_TYPE_CODE, STATUS_CODE, UNCONFIRMED } from "../codes.ts";
import { itemLeaf } from "../merkle/leaf.ts";
import { encodeRef } from "../ref-bytes.ts";
import { countLive, countStatus } from "./count-messages.ts";
import { countHiddenFile, dropRemoved, saveRemoved } from "./save-removed.ts";
import type { WriterSession } from "./writer-session.ts";

/** Writes the rows of items whose status or message changed. Copies come after: see `saveCopies`. */
export function saveItem(session: WriterSession, change: Change<ItemFact>): void {
  const { key: hash, before, after } = change;
  if (after === null) throw new Error(`Item ${hash} cannot cease to exist`);
  const id = before === null ? insertItem(session, hash, after) : updateItem(session, hash, after);
  if (before?.status === "removed" && after.status !== "removed") dropRemoved(session, id);
  countStatus(session, before, after);
  countHiddenFile(session, before, after);
  if (after.removed !== undefined && before?.removed !== after.removed)
    saveRemoved(session, id, hash, after.removed);
  if (before?.live !== after.live) saveLive(session, id, before?.live ?? null, after.live);
  if ((before?.forgotten ?? null) !== after.forgotten) saveForgotten(session, id, after.forgotten);
  countLive(session, before, after);
}

function insertItem(session: WriterSession, hash: string, item: ItemFact): number {
  const known = session.findItem(hash);
  if (known !== null) return updateItem(session, hash, item);
  const id = session.newItemId(hash);
  session.connection.run(
    "INSERT INTO items (id, hash, status, reception_us, leaf) VALUES (?, ?, ?, ?, ?)",
    id,
    encodeItemHash(hash),
    STATUS_CODE[item.status],
    item.receptionMicros,
    item.forgotten === null ? itemLeaf(hash, item, []) : null,
  );
  return id;
}

function updateItem(session: WriterSession, hash: string, item: ItemFact): number {
  const id = session.itemId(hash);
  session.connection.run(
    "UPDATE items SET status = ?, leaf = ? WHERE id = ?",
    STATUS_CODE[item.status],
    item.forgotten === null ? itemLeaf(hash, item, []) : null,
    id,
  );
  return id;
}

function saveLive(
  session: WriterSession,
  id: number,
  before: LiveMessage | null,
  after: LiveMessage | null,
): void {
  if (before !== null) {
    session.connection.run("DELETE FROM message_tags WHERE message_id = ?", id);
    if (after === null) session.connection.run("DELETE FROM messages WHERE id = ?", id);
  }
  if (after === null) return;
  if (before === null) insertMessage(session, id, after);
  else updateMessage(session, id, after);
  for (const tag of new Set(after.tags)) {
    session.connection.run(
      "INSERT INTO message_tags (tag_id, time_us, message_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      session.labels.intern(tag),
      after.timeMicros,
      id,
    );
  }
}

function insertMessage(session: WriterSession, id: number, live: LiveMessage): void {
  session.connection.run(
    `INSERT INTO messages (id, copy_id, type, item_type, chain_id, sender_id, owner_id, channel_id, label_id, ref,
       content_hash, payment_id, time_us, content_time_us, size, size_bytes, confirmed_us, confirmed_height)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    session.reserveCopyId(id),
    MESSAGE_TYPE_CODE[live.type],
    ITEM_TYPE_CODE[live.itemType],
    session.labels.intern(live.chain),
    session.addresses.intern(live.sender),
    session.addresses.intern(live.owner),
    session.channels.internNullable(live.channel),
    session.labels.internNullable(live.label),
    live.ref === null ? null : encodeRef(live.ref),
    live.contentHash === null ? null : encodeItemHash(live.contentHash),
    session.labels.internNullable(live.paymentType),
    live.timeMicros,
    live.contentTimeMicros,
    live.size,
    live.sizeBytes,
    UNCONFIRMED,
    UNCONFIRMED,
  );
}

/** Only what the envelope of the served copy says can change while a message is live. */
function updateMessage(session: WriterSession, id: number, live: LiveMessage): void {
  session.connection.run(
    "UPDATE messages SET item_type = ?, chain_id = ?, sender_id = ?, channel_id = ?, time_us = ? WHERE id = ?",
    ITEM_TYPE_CODE[live.itemType],
    session.labels.intern(live.chain),
    session.addresses.intern(live.sender),
    session.channels.internNullable(live.channel),
    live.timeMicros,
    id,
  );
}

function saveForgotten(session: WriterSession, id: number, forgotten: ForgottenMessage | null): void {
  session.connection.run("DELETE FROM forgotten WHERE id = ?", id);
  if (forgotten === null) return;
  // A refused copy holds the same content: anyone can send the true content under a false signature.
  session.connection.run("DELETE FROM refusals WHERE item_id = ?", id);
  session.connection.run(
    `INSERT INTO forgotten (id, type, chain_id, sender_id, owner_id, channel_id, label_id, item_type,
       payment_id, signature, time_us, content_time_us, size, parent, revises, forgotten_us, content_hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    MESSAGE_TYPE_CODE[forgotten.type],
    session.labels.intern(forgotten.chain),
    session.addresses.intern(forgotten.sender),
    session.addresses.intern(forgotten.owner),
    session.channels.internNullable(forgotten.channel),
    session.labels.internNullable(forgotten.label),
    ITEM_TYPE_CODE[forgotten.itemType],
    session.labels.intern(forgotten.paymentType),
    forgotten.signature,
    forgotten.timeMicros,
    forgotten.contentTimeMicros,
    forgotten.size,
    forgotten.parent === null ? null : encodeItemHash(forgotten.parent),
    forgotten.revises ? 1 : 0,
    forgotten.forgottenMicros,
    forgotten.contentHash === null ? null : encodeItemHash(forgotten.contentHash),
  );
}
