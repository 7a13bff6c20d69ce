import assert from "node:assert/strict";
import {
  type CursorPage,
  type ItemText,
  type ListName,
  type ListQueries,
  type SyncListReads,
  UNLIMITED,
} from "../../src/index.ts";

/** All items of a list, read by cursor in small pages. */
export function walkList<Name extends ListName>(
  reads: SyncListReads,
  name: Name,
  query: ListQueries[Name],
  pageSize = 7,
): string[] {
  const list = reads.lists[name];
  const items: string[] = [];
  let cursor: string | null = "";
  do {
    const page: CursorPage = list.cursor(query as never, { cursor, pageSize }, UNLIMITED);
    items.push(...page.items.map(heldText));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

/** A text that is no long one. */
export function heldText(text: ItemText | null | undefined): string {
  assert.ok(typeof text === "string");
  return text;
}

/** A text with its long parts read. */
export function wholeText(reads: SyncListReads, text: ItemText): string {
  if (typeof text === "string") return text;
  const chunks: Uint8Array[] = [];
  for (const part of text.parts) {
    if (typeof part === "string") {
      chunks.push(Buffer.from(part));
      continue;
    }
    let piece = reads.piece(part, null, UNLIMITED);
    chunks.push(piece.bytes);
    while (piece.next !== null) {
      piece = reads.piece(part, piece.next, UNLIMITED);
      chunks.push(piece.bytes);
    }
  }
  return Buffer.concat(chunks).toString("utf8");
}

export const hashesOf = (items: readonly ItemText[]): string[] =>
  items.map((item) => (JSON.parse(heldText(item)) as { item_hash: string }).item_hash);
