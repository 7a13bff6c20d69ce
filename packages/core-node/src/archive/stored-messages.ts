import { decodeItemHash, MESSAGE_TYPES, type MessageType } from "@twentysix/protocol";
import type { SqlConnection } from "@twentysix/storage";

/** One stored copy of a live message. */
export interface StoredCopy {
  readonly copyId: number;
  readonly envelope: string;
  readonly content: string | null;
  readonly origin: number;
}

/** A live message, or one that was removed for lack of funds, with its copies, the served one first. */
export interface StoredMessage {
  readonly id: number;
  readonly hash: string;
  readonly type: MessageType;
  /** File of a STORE. */
  readonly fileHash: string | null;
  readonly copies: readonly StoredCopy[];
}

/** A live message at its place in the event log. */
export interface ProcessedMessage extends StoredMessage {
  readonly seq: number;
}

/** Events looked at in one go, and characters of contents given in one go. */
const CHUNK = 512;
const MAX_CHARACTERS = 16 * 1024 * 1024;

/**
 * The live messages in the order in which they were processed, as the event log tells it. A message that was
 * taken back and processed again stands at its last place. The served copy goes first, since without canonical
 * order it is the first that counts.
 */
export function* messagesInProcessingOrder(
  stored: SqlConnection,
  from = 0,
  maxCharacters = MAX_CHARACTERS,
): Generator<readonly ProcessedMessage[], void, undefined> {
  for (let after = from; ; ) {
    const events = stored.all<{ seq: number; item_id: number }>(
      "SELECT seq, item_id FROM events WHERE seq > ? AND kind = 2 ORDER BY seq LIMIT ?",
      after,
      CHUNK,
    );
    const last = events.at(-1);
    if (last === undefined) return;
    after = last.seq;
    let messages: ProcessedMessage[] = [];
    let characters = 0;
    for (const event of events) {
      const later = stored.get(
        "SELECT 1 FROM events WHERE item_id = ? AND kind = 2 AND seq > ?",
        event.item_id,
        event.seq,
      );
      const message = later === undefined ? storedMessage(stored, event.item_id) : null;
      if (message === null) continue;
      messages.push({ ...message, seq: event.seq });
      for (const { content } of message.copies) characters += content?.length ?? 0;
      if (characters < maxCharacters) continue;
      yield messages;
      messages = [];
      characters = 0;
    }
    if (messages.length > 0) yield messages;
  }
}

/** A live or removed message by its id; null when there is none. */
export function storedMessage(stored: SqlConnection, id: number): StoredMessage | null {
  const row = stored.get<{
    hash: Uint8Array;
    copy_id: number;
    type: number;
    content_hash: Uint8Array | null;
  }>(
    `SELECT i.hash, m.copy_id, m.type, m.content_hash FROM (SELECT id, copy_id, type, content_hash FROM messages
       UNION ALL SELECT id, copy_id, type, content_hash FROM removed WHERE copy_id IS NOT NULL) m
     JOIN items i ON i.id = m.id WHERE m.id = ?`,
    id,
  );
  if (row === undefined) return null;
  const type = MESSAGE_TYPES[row.type];
  if (type === undefined) throw new Error(`The database holds message type ${row.type}, which is not known`);
  const copies = stored.all<{ id: number; envelope: string; content: string | null; origin: number }>(
    "SELECT id, envelope, content, origin FROM copies WHERE item_id = ? ORDER BY id = ? DESC, id",
    id,
    row.copy_id,
  );
  return {
    id,
    hash: decodeItemHash(row.hash),
    type,
    fileHash: row.content_hash === null ? null : decodeItemHash(row.content_hash),
    copies: copies.map(({ id: copyId, envelope, content, origin }) => ({
      copyId,
      envelope,
      content,
      origin,
    })),
  };
}
