import { formatIsoOffset, formatTime, sliceMember } from "@twentysix/protocol";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dictionaries } from "../dictionary.ts";
import { joinTexts } from "../long-text/item-text.ts";
import { contentMemberOf, servedContentOf } from "../message/content-text.ts";
import { type MessageRow, MessageRows } from "../message/message-rows.ts";
import { renderConfirmation } from "../message/render-message.ts";
import type { ItemText } from "../text-types.ts";
import type { JsonText } from "../types.ts";

interface Post {
  readonly original: MessageRow;
  /** The original itself, or the amend that is shown. */
  readonly current: MessageRow;
  readonly createdMicros: bigint;
  readonly updatedMicros: bigint;
}

/** Posts by the id of their original, as the two versions of the API show them. */
export class PostRows {
  readonly #connection: SqlConnection;
  readonly #messages: MessageRows;

  constructor(connection: SqlConnection, names: Dictionaries) {
    this.#connection = connection;
    this.#messages = new MessageRows(connection, names);
  }

  /** null when the post was forgotten since it was located. */
  render(id: number, version: 0 | 1): ItemText | null {
    const post = this.#read(id);
    if (post === null) return null;
    return version === 0 ? renderVersion0(post) : renderVersion1(post);
  }

  #read(id: number): Post | null {
    const row = this.#connection.getBig<{ current_id: bigint; created_us: bigint; updated_us: bigint }>(
      "SELECT current_id, created_us, updated_us FROM posts WHERE id = ?",
      id,
    );
    if (row === undefined) return null;
    const original = this.#messages.byId(id);
    const currentId = Number(row.current_id);
    const current = currentId === id ? original : this.#messages.byId(currentId);
    if (original === null || current === null) return null;
    return { original, current, createdMicros: row.created_us, updatedMicros: row.updated_us };
  }
}

function renderVersion0({ original, current }: Post): ItemText {
  const { confirmations } = current;
  const itemContent = current.itemType === "inline" ? rawMember(current, "item_content") : "null";
  const owner = JSON.stringify(original.owner);
  return joinTexts(
    `{"chain":"${original.chain}","item_hash":"${current.itemHash}","sender":${owner},"type":`,
    current.labelText,
    `,"channel":${JSON.stringify(original.channel)},"confirmed":${confirmations.length > 0},"content":`,
    servedContentOf(current),
    `,"item_content":${itemContent},"item_type":"${current.itemType}","signature":${rawMember(current, "signature")},"size":${current.size},"time":${formatTime(current.timeMicros)},"confirmations":[${confirmations.map(renderConfirmation).join(",")}],"original_item_hash":"${original.itemHash}","original_signature":${rawMember(original, "signature")},"original_type":`,
    original.labelText,
    `,"hash":"${original.itemHash}","address":${owner},"ref":`,
    refOf(original),
    "}",
  );
}

function renderVersion1({ original, current, createdMicros, updatedMicros }: Post): ItemText {
  return joinTexts(
    `{"item_hash":"${current.itemHash}","content":`,
    servedContentOf(current),
    `,"original_item_hash":"${original.itemHash}","original_type":`,
    original.labelText,
    `,"address":${JSON.stringify(original.owner)},"ref":`,
    refOf(original),
    `,"channel":${JSON.stringify(original.channel)},"created":"${formatIsoOffset(createdMicros)}","last_updated":"${formatIsoOffset(updatedMicros)}"}`,
  );
}

function rawMember(row: MessageRow, key: string): JsonText {
  return sliceMember(row.envelope, key) ?? "null";
}

/** The `ref` as its author wrote it: a text, the old object form, or null. */
function refOf(row: MessageRow): ItemText {
  return row.ref === null ? "null" : contentMemberOf(row, "ref");
}
