import type { ItemText, ListReads, MessagesQuery } from "@twentysix/storage";

export interface StoredMessage {
  readonly itemHash: string;
  readonly text: ItemText;
}

type Messages = ListReads["messages"];

/**
 * The newest messages of a list, oldest first. What does not fit into one step is read twice: the list knows the
 * newest first, and all of them together may be too much to be held.
 */
export async function* historyOf(
  messages: Messages,
  query: MessagesQuery,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<StoredMessage, void, undefined> {
  if (count === 0) return;
  const { items, rest } = await messages.page(query, { page: 1, pageSize: count }, { signal });
  if (rest === null) {
    for (const item of items.toReversed()) yield stored(item);
    return;
  }
  const hashes = items.map(itemHashOf);
  for await (const step of messages.rest(query, rest, { signal })) hashes.push(...step.map(itemHashOf));
  for (const itemHash of hashes.reverse()) {
    const one = { ...query, filter: { ...query.filter, itemHashes: [itemHash] } };
    const page = await messages.page(one, { page: 1, pageSize: 1 }, { signal });
    for (const item of page.items) yield stored(item);
  }
}

/** Everything after a cursor of a list, oldest first when the list is. */
export async function* replayAfter(
  messages: Messages,
  query: MessagesQuery,
  cursor: string,
  signal: AbortSignal,
): AsyncGenerator<StoredMessage, void, undefined> {
  const all = { cursor, items: Number.POSITIVE_INFINITY };
  for await (const step of messages.rest(query, all, { signal })) {
    for (const item of step) yield stored(item);
  }
}

function stored(text: ItemText): StoredMessage {
  return { itemHash: itemHashOf(text), text };
}

/** It is the first member of every item. */
function itemHashOf(text: ItemText): string {
  const start = typeof text === "string" ? text : (text.parts[0] ?? "");
  return (typeof start === "string" ? /^\{"item_hash":"([^"]+)"/.exec(start)?.[1] : undefined) ?? "";
}
