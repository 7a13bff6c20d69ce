import {
  type Chain,
  decodeItemHash,
  encodeItemHash,
  ITEM_TYPES,
  isChain,
  MESSAGE_TYPES,
} from "@twentysix/protocol";
import type { ForgottenMessage, ItemFact, LiveMessage } from "@twentysix/state";
import { STATUSES } from "../codes.ts";
import { decodeRef } from "../ref-bytes.ts";
import type { WriterSession } from "./writer-session.ts";

interface ItemRow {
  readonly id: bigint;
  readonly status: bigint;
  readonly reception_us: bigint;
}

interface MessageRow {
  readonly type: bigint;
  readonly item_type: bigint;
  readonly chain_id: bigint;
  readonly sender_id: bigint;
  readonly owner_id: bigint;
  readonly channel_id: bigint | null;
  readonly label_id: bigint | null;
  readonly ref: Uint8Array | null;
  readonly content_hash: Uint8Array | null;
  readonly payment_id: bigint | null;
  readonly time_us: bigint;
  readonly content_time_us: bigint;
  readonly size: bigint;
  readonly size_bytes: bigint;
}

interface ForgottenRow {
  readonly type: bigint;
  readonly chain_id: bigint;
  readonly sender_id: bigint;
  readonly owner_id: bigint;
  readonly channel_id: bigint | null;
  readonly label_id: bigint | null;
  readonly item_type: bigint;
  readonly payment_id: bigint;
  readonly signature: string | null;
  readonly time_us: bigint;
  readonly content_time_us: bigint;
  readonly size: bigint;
  readonly parent: Uint8Array | null;
  readonly revises: bigint;
  readonly forgotten_us: bigint | null;
  readonly content_hash: Uint8Array | null;
}

const MESSAGE_COLUMNS =
  "type, item_type, chain_id, sender_id, owner_id, channel_id, label_id, ref, content_hash, payment_id, time_us, content_time_us, size, size_bytes";
const FORGOTTEN_COLUMNS =
  "type, chain_id, sender_id, owner_id, channel_id, label_id, item_type, payment_id, signature, time_us, content_time_us, size, parent, revises, forgotten_us, content_hash";

/** An item with its message, if it is live or forgotten; null for a hash that this node never met. */
export function loadItem(session: WriterSession, hash: string): ItemFact | null {
  const row = session.connection.getBig<ItemRow>(
    "SELECT id, status, reception_us FROM items WHERE hash = ?",
    encodeItemHash(hash),
  );
  session.rememberItem(hash, row === undefined ? null : Number(row.id));
  if (row === undefined) return null;
  const status = STATUSES[Number(row.status)] ?? "pending";
  const id = Number(row.id);
  return {
    status,
    receptionMicros: row.reception_us,
    live: status === "processed" || status === "removing" ? loadLive(session, id) : null,
    forgotten: status === "forgotten" ? loadForgotten(session, id) : null,
    ...(status === "removed" ? loadRemoved(session, id) : {}),
  };
}

function loadLive(session: WriterSession, id: number): LiveMessage {
  const row = session.connection.getBig<MessageRow>(
    `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE id = ?`,
    id,
  );
  if (row === undefined) throw new Error(`Item ${id} is live and has no message row`);
  return messageOf(session, row, loadTags(session, id));
}

/** A removed message as it was; nothing where another program left less of it. */
function loadRemoved(session: WriterSession, id: number): Pick<ItemFact, "removed"> {
  const row = session.connection.getBig<
    MessageRow & { readonly removed_us: bigint; readonly file_size: bigint }
  >(
    `SELECT type, item_type, chain_id, sender_id, owner_id, channel_id, label_id, ref, content_hash,
       live_payment_id AS payment_id, time_us, content_time_us, content_size AS size, size_bytes, removed_us,
       size AS file_size FROM removed WHERE id = ? AND copy_id IS NOT NULL`,
    id,
  );
  if (row === undefined) return {};
  const tags = session.connection
    .all<{ tag_id: number }>("SELECT tag_id FROM removed_tags WHERE removed_id = ?", id)
    .map(({ tag_id: tag }) => session.labels.text(tag));
  const message = messageOf(session, row, tags);
  return { removed: { message, removedMicros: row.removed_us, sizeBytes: Number(row.file_size) } };
}

function messageOf(session: WriterSession, row: MessageRow, tags: readonly string[]): LiveMessage {
  return {
    type: messageType(row.type),
    chain: chain(session, row.chain_id),
    sender: session.addresses.text(Number(row.sender_id)),
    owner: session.addresses.text(Number(row.owner_id)),
    channel: row.channel_id === null ? null : session.channels.text(Number(row.channel_id)),
    label: row.label_id === null ? null : session.labels.text(Number(row.label_id)),
    ref: row.ref === null ? null : decodeRef(row.ref),
    contentHash: row.content_hash === null ? null : decodeItemHash(row.content_hash),
    itemType: itemType(row.item_type),
    paymentType: row.payment_id === null ? null : session.labels.text(Number(row.payment_id)),
    timeMicros: row.time_us,
    contentTimeMicros: row.content_time_us,
    size: Number(row.size),
    sizeBytes: Number(row.size_bytes),
    tags,
  };
}

function loadForgotten(session: WriterSession, id: number): ForgottenMessage {
  const row = session.connection.getBig<ForgottenRow>(
    `SELECT ${FORGOTTEN_COLUMNS} FROM forgotten WHERE id = ?`,
    id,
  );
  if (row === undefined) throw new Error(`Item ${id} is forgotten and has no record of it`);
  return {
    type: messageType(row.type),
    chain: chain(session, row.chain_id),
    sender: session.addresses.text(Number(row.sender_id)),
    owner: session.addresses.text(Number(row.owner_id)),
    channel: row.channel_id === null ? null : session.channels.text(Number(row.channel_id)),
    label: row.label_id === null ? null : session.labels.text(Number(row.label_id)),
    itemType: itemType(row.item_type),
    paymentType: session.labels.text(Number(row.payment_id)),
    signature: row.signature,
    timeMicros: row.time_us,
    contentTimeMicros: row.content_time_us,
    size: Number(row.size),
    parent: row.parent === null ? null : decodeItemHash(row.parent),
    revises: row.revises !== 0n,
    forgottenMicros: row.forgotten_us,
    contentHash: row.content_hash === null ? null : decodeItemHash(row.content_hash),
  };
}

/** Tags of a live message, in no order. */
export function loadTags(session: WriterSession, id: number): string[] {
  return session.connection
    .all<{ tag_id: number }>("SELECT tag_id FROM message_tags WHERE message_id = ?", id)
    .map((row) => session.labels.text(row.tag_id));
}

/** The hash of an item that a row refers to. */
export function hashOfItem(session: WriterSession, id: number): string {
  const row = session.connection.get<{ hash: Uint8Array }>("SELECT hash FROM items WHERE id = ?", id);
  if (row === undefined) throw new Error(`The database refers to item ${id}, which is not there`);
  const hash = decodeItemHash(row.hash);
  session.rememberItem(hash, id);
  return hash;
}

function messageType(code: bigint): (typeof MESSAGE_TYPES)[number] {
  const type = MESSAGE_TYPES[Number(code)];
  if (type === undefined)
    throw new Error(`The database holds message type ${code}, which this version does not know`);
  return type;
}

function itemType(code: bigint): (typeof ITEM_TYPES)[number] {
  const type = ITEM_TYPES[Number(code)];
  if (type === undefined)
    throw new Error(`The database holds item type ${code}, which this version does not know`);
  return type;
}

function chain(session: WriterSession, id: bigint): Chain {
  const text = session.labels.text(Number(id));
  if (!isChain(text)) throw new Error(`The database holds chain ${text}, which this version does not know`);
  return text;
}
