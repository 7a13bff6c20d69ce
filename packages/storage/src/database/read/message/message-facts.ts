import { decodeItemHash, isJsonObject, tagsOf } from "@twentysix/protocol";
import { decodeRef } from "../../ref-bytes.ts";
import type { MessageFacts } from "../types.ts";
import { contentValueOf } from "./content-text.ts";
import type { MessageRow } from "./message-rows.ts";

/** What filters look at, of a stored message. */
export function factsOfRow(row: MessageRow): MessageFacts {
  const content = contentValueOf(row);
  return {
    itemHash: row.itemHash,
    status: row.status,
    type: row.type,
    chain: row.chain,
    sender: row.sender,
    owner: row.owner,
    channel: row.channel,
    label: row.label,
    ref: row.ref === null ? null : decodeRef(row.ref),
    contentHash: row.contentHash === null ? null : decodeItemHash(row.contentHash),
    paymentType: row.paymentType,
    tags: isJsonObject(content) ? tagsOf(row.type, content) : [],
    timeMicros: row.timeMicros,
    confirmedHeight: row.confirmedHeight === null ? null : Number(row.confirmedHeight),
  };
}
