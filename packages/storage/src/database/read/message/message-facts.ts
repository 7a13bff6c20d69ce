import { decodeItemHash } from "@twentysix/protocol";
import { decodeRef } from "../../ref-bytes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dialect } from "../../sql/dialect.ts";
import { LONG_TEXT_BYTES } from "../long-text/item-text.ts";
import type { MessageFacts } from "../types.ts";
import type { MessageRow } from "./message-rows.ts";

/** Longer tags, and more of them, no filter can ask for in practice. */
const MAX_TAGS = 10_000;
const tagsOf = ({
  indexedBy,
}: Dialect): string => `SELECT l.label FROM message_tags AS t ${indexedBy("message_tags_message")} CROSS JOIN labels AS l
  WHERE t.message_id = ? AND l.id = t.tag_id AND octet_length(l.label) <= ${LONG_TEXT_BYTES} LIMIT ${MAX_TAGS}`;

/** What filters look at, of a stored message. Its content is not read for that, its tags once they are asked for. */
export function factsOfRow(connection: SqlConnection, row: MessageRow): MessageFacts {
  let tags: string[] | null = null;
  return {
    itemHash: row.itemHash,
    status: row.status,
    type: row.type,
    chain: row.chain,
    sender: row.sender,
    owner: row.owner,
    channel: row.channel,
    label: row.label,
    // A filter never holds a long text, so it is as good as none.
    ref: row.ref === null || row.ref.length > LONG_TEXT_BYTES ? null : decodeRef(row.ref),
    contentHash: row.contentHash === null ? null : decodeItemHash(row.contentHash),
    paymentType: row.paymentType,
    get tags() {
      tags ??= connection
        .all<{ label: string }>(tagsOf(connection.dialect), row.id)
        .map(({ label }) => label);
      return tags;
    },
    timeMicros: row.timeMicros,
    confirmedHeight: row.confirmedHeight === null ? null : Number(row.confirmedHeight),
  };
}
