import {
  type Chain,
  decodeItemHash,
  encodeItemHash,
  ITEM_TYPES,
  type ItemType,
  isItemHash,
  MESSAGE_TYPES,
  type MessageType,
} from "@twentysix/protocol";
import { STATUSES, type Status, UNCONFIRMED } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dictionaries } from "../dictionary.ts";
import { LONG_TEXT_BYTES } from "../long-text/item-text.ts";
import type { ItemText } from "../text-types.ts";
import type { JsonText, PaymentType } from "../types.ts";
import type { LongContent } from "./content-text.ts";

const COLUMNS = `m.id, m.type, m.item_type, m.chain_id, m.sender_id, m.owner_id, m.channel_id, m.label_id, m.ref,
  m.content_hash, m.payment_id, m.time_us, m.size, m.size_bytes, m.confirmed_us, m.confirmed_height,
  i.hash, i.status, i.reception_us, c.envelope, c.id AS copy_id, c.origin,
  octet_length(c.content) AS content_bytes,
  CASE WHEN octet_length(c.content) > ${LONG_TEXT_BYTES} THEN NULL ELSE c.content END AS content`;
const BY_HASH = `SELECT ${COLUMNS} FROM items AS i CROSS JOIN messages AS m CROSS JOIN copies AS c
  WHERE i.hash = ? AND m.id = i.id AND c.id = m.copy_id`;
const BY_ID = `SELECT ${COLUMNS} FROM messages AS m CROSS JOIN items AS i CROSS JOIN copies AS c
  WHERE m.id = ? AND i.id = m.id AND c.id = m.copy_id`;
const CONTENT = "SELECT content FROM copies WHERE id = ?";
const CONFIRMATIONS =
  "SELECT chain_id, tx_hash, height, time_us, publisher FROM confirmations WHERE hash = ?";

interface Columns {
  readonly id: bigint;
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
  readonly size: bigint;
  readonly size_bytes: bigint;
  readonly confirmed_us: bigint;
  readonly confirmed_height: bigint;
  readonly hash: Uint8Array;
  readonly status: bigint;
  readonly reception_us: bigint;
  readonly envelope: string;
  readonly copy_id: bigint;
  readonly content_bytes: bigint | null;
  readonly content: string | null;
  readonly origin: bigint;
}

export interface Confirmation {
  readonly chain: Chain;
  readonly height: bigint;
  readonly txHash: string;
  readonly timeMicros: bigint;
  readonly publisher: string;
}

/** One live message as it is stored, its small integers resolved. */
export interface MessageRow {
  readonly id: number;
  readonly itemHash: string;
  readonly status: Status;
  readonly receptionMicros: bigint;
  readonly type: MessageType;
  readonly itemType: ItemType;
  readonly chain: Chain;
  readonly sender: string;
  readonly owner: string;
  readonly channel: string | null;
  /** null: none, or a long one. */
  readonly label: string | null;
  /** The label as JSON. */
  readonly labelText: ItemText;
  readonly ref: Uint8Array | null;
  readonly contentHash: Uint8Array | null;
  readonly paymentType: PaymentType | null;
  readonly timeMicros: bigint;
  readonly size: number;
  readonly sizeBytes: number;
  readonly confirmedHeight: bigint | null;
  readonly confirmations: readonly Confirmation[];
  readonly envelope: JsonText;
  /** Content text when it is neither inline nor long. */
  readonly content: string | null;
  readonly longContent: LongContent | null;
  readonly origin: number;
}

/** Reads whole messages by their key. */
export class MessageRows {
  readonly #connection: SqlConnection;
  readonly #names: Dictionaries;

  constructor(connection: SqlConnection, names: Dictionaries) {
    this.#connection = connection;
    this.#names = names;
  }

  /** null when the item is not live (any more). */
  byId(id: number): MessageRow | null {
    const row = this.#connection.getBig<Columns>(BY_ID, id);
    return row === undefined ? null : this.#resolve(row);
  }

  /** The same by hash, in one statement; null also for a text that is no item hash. */
  byHash(itemHash: string): MessageRow | null {
    if (!isItemHash(itemHash, { anyCidV1: true })) return null;
    const row = this.#connection.getBig<Columns>(BY_HASH, encodeItemHash(itemHash));
    return row === undefined ? null : this.#resolve(row);
  }

  /** The text of a content that is not inline, however long. */
  wholeContent({ content, longContent }: Pick<MessageRow, "content" | "longContent">): string | null {
    if (longContent === null) return content;
    const { id } = longContent;
    return this.#connection.get<{ content: string }>(CONTENT, id)?.content ?? null;
  }

  #resolve(row: Columns): MessageRow {
    const { addresses, channels, labels } = this.#names;
    return {
      id: Number(row.id),
      itemHash: decodeItemHash(row.hash),
      status: STATUSES[Number(row.status)] ?? unknownCode("status", row.status),
      receptionMicros: row.reception_us,
      type: MESSAGE_TYPES[Number(row.type)] ?? unknownCode("message type", row.type),
      itemType: ITEM_TYPES[Number(row.item_type)] ?? unknownCode("item type", row.item_type),
      chain: labels.nameOf(row.chain_id) as Chain,
      sender: addresses.nameOf(row.sender_id),
      owner: addresses.nameOf(row.owner_id),
      channel: row.channel_id === null ? null : channels.nameOf(row.channel_id),
      label: row.label_id === null ? null : labels.shortNameOf(row.label_id),
      labelText: row.label_id === null ? "null" : labels.textOf(row.label_id),
      ref: row.ref,
      contentHash: row.content_hash,
      paymentType: row.payment_id === null ? null : (labels.nameOf(row.payment_id) as PaymentType),
      timeMicros: row.time_us,
      size: Number(row.size),
      sizeBytes: Number(row.size_bytes),
      confirmedHeight: row.confirmed_us === UNCONFIRMED ? null : row.confirmed_height,
      confirmations: row.confirmed_us === UNCONFIRMED ? [] : this.#confirmations(row.hash),
      envelope: row.envelope,
      content: row.content,
      longContent: longContentOf(row),
      origin: Number(row.origin),
    };
  }

  #confirmations(hash: Uint8Array): Confirmation[] {
    const rows = this.#connection.allBig<{
      chain_id: bigint;
      tx_hash: string;
      height: bigint;
      time_us: bigint;
      publisher: string;
    }>(CONFIRMATIONS, hash);
    return rows.map((row) => ({
      chain: this.#names.labels.nameOf(row.chain_id) as Chain,
      height: row.height,
      txHash: row.tx_hash,
      timeMicros: row.time_us,
      publisher: row.publisher,
    }));
  }
}

function longContentOf({ content, content_bytes, copy_id }: Columns): LongContent | null {
  if (content !== null || content_bytes === null) return null;
  return { of: "copy", id: Number(copy_id), sizeBytes: Number(content_bytes) };
}

/** A code that this version does not know: the database was written by another program. */
export function unknownCode(what: string, code: number | bigint): never {
  throw new RangeError(`the database holds ${what} ${code}, which this version does not know`);
}
