import { formatIsoZ, formatTime, sliceMembers } from "@twentysix/protocol";
import { joinTexts } from "../long-text/item-text.ts";
import type { ItemText } from "../text-types.ts";
import type { ExtraField, JsonText, MessageShape } from "../types.ts";
import { contentMemberOf, contentTextOf } from "./content-text.ts";
import type { Confirmation, MessageRow } from "./message-rows.ts";

/**
 * One message in the shape of the lists, out of its stored texts: signature, item content and content are spliced
 * in as they were received. The single shape is the same: a superset of what its readers know.
 */
export function renderMessage(row: MessageRow, shape: MessageShape = {}): ItemText {
  const { head, tail } = renderAround(row, shape.extraFields ?? []);
  const format = shape.contentFormat ?? "full";
  if (format === "none") return head + tail;
  const content = format === "full" ? contentTextOf(row) : headersOf(row);
  return joinTexts(`${head},"content":`, content, tail);
}

/** The list shape without the content. */
export function renderWithoutContent(row: MessageRow): JsonText {
  const { head, tail } = renderAround(row, []);
  return head + tail;
}

function renderAround(row: MessageRow, extra: readonly ExtraField[]): { head: string; tail: string } {
  const members = sliceMembers(row.envelope);
  const raw = (key: string): JsonText => {
    const range = members.get(key);
    return range === undefined ? "null" : row.envelope.slice(range.start, range.end);
  };
  const itemContent = row.itemType === "inline" ? raw("item_content") : "null";
  const head = `{"item_hash":"${row.itemHash}","type":"${row.type}","chain":"${row.chain}","sender":${JSON.stringify(row.sender)},"signature":${raw("signature")},"item_type":"${row.itemType}","item_content":${itemContent}`;
  const tail = `,"time":${formatTime(row.timeMicros)},"channel":${JSON.stringify(row.channel)},"size":${row.size},"confirmations":[${row.confirmations.map(renderConfirmation).join(",")}],"confirmed":${row.confirmations.length > 0}${extra.map((field) => `,${renderExtra(row, field)}`).join("")}}`;
  return { head, tail };
}

export function renderConfirmation(confirmation: Confirmation): JsonText {
  const { chain, height, txHash, timeMicros, publisher } = confirmation;
  return `{"chain":"${chain}","height":${height},"hash":${JSON.stringify(txHash)},"time":${formatTime(timeMicros)},"publisher":${JSON.stringify(publisher)}}`;
}

function renderExtra(row: MessageRow, field: ExtraField): string {
  switch (field) {
    case "status":
      return `"status":"${row.status}"`;
    case "reception_time":
      return `"reception_time":"${formatIsoZ(row.receptionMicros)}"`;
    case "owner":
      return `"owner":${JSON.stringify(row.owner)}`;
    case "payment_type":
      return `"payment_type":${JSON.stringify(row.paymentType)}`;
    case "size_bytes":
      return `"size_bytes":${row.sizeBytes}`;
  }
}

const HEADER_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  POST: ["type", "ref"],
  AGGREGATE: ["key"],
  STORE: ["item_hash", "ref"],
};

/** The content reduced to its owner and what its type is filtered by; null members are left out. */
function headersOf(row: MessageRow): ItemText {
  const members: ItemText[] = [];
  for (const key of HEADER_MEMBERS[row.type] ?? []) {
    const value = headerOf(row, key);
    if (value !== "null") members.push(`,"${key}":`, value);
  }
  return joinTexts(`{"address":${JSON.stringify(row.owner)}`, ...members, "}");
}

/** Of a long content what its columns tell is not looked for in the text. */
function headerOf(row: MessageRow, key: string): ItemText {
  if (row.longContent === null) return contentMemberOf(row, key);
  if (key === "ref") return row.ref === null ? "null" : contentMemberOf(row, key);
  return key === "item_hash" ? contentMemberOf(row, key) : row.labelText;
}
