import { sizeOfText } from "../long-text/item-text.ts";
import type { ReadBudget } from "../read-budget.ts";
import type { ItemText } from "../text-types.ts";
import type { CursorPage, CursorRequest, ListPage, PageRequest, PageRest } from "../types.ts";

/** What a read gives at once. */
export interface SizeLimit {
  /** Ends after the item that passes this many bytes, long texts counted whole; at least one item is given. */
  readonly maxBytes?: number;
}
export type BoundedPageRequest = PageRequest & SizeLimit;
export type ChunkRequest = CursorRequest & SizeLimit;

/** One list on one connection: synchronous, in steps that the budget bounds. */
export interface ListReader<Query> {
  page(query: Query, page: BoundedPageRequest, budget: ReadBudget): ListPage;
  /** @throws ReadError CURSOR_INVALID */
  cursor(query: Query, request: ChunkRequest, budget: ReadBudget): CursorPage;
}

export interface TotalCount {
  readonly total: number;
  readonly approximate: boolean;
}

/** Above this, what cannot be known from counters is not counted any further. */
export const MAX_COUNTED_ROWS = 10_000;

/** The total of a page that ends the list is known without counting; one behind the end proves nothing. */
export function totalOf(page: PageRequest, found: number, count: () => TotalCount): TotalCount {
  const skipped = (page.page - 1) * page.pageSize;
  if (found < page.pageSize && (found > 0 || skipped === 0))
    return { total: skipped + found, approximate: false };
  const counted = count();
  if (!counted.approximate || found === 0) return counted;
  return { ...counted, total: Math.max(counted.total, skipped + found) };
}

export interface Rendered<Key> {
  readonly items: readonly ItemText[];
  /** How many of the keys are part of `items`, or are gone, and the last of them. */
  readonly done: number;
  readonly last: Key | undefined;
}

/** Renders rows until the size is reached; a row that vanished since it was located is left out. */
export function renderKeys<Key>(
  keys: readonly Key[],
  render: (key: Key) => ItemText | null,
  { maxBytes = Number.POSITIVE_INFINITY }: SizeLimit,
): Rendered<Key> {
  const items: ItemText[] = [];
  let bytes = 0;
  for (const [at, key] of keys.entries()) {
    const item = render(key);
    if (item === null) continue;
    items.push(item);
    bytes += sizeOfText(item);
    if (bytes >= maxBytes) return { items, done: at + 1, last: key };
  }
  return { items, done: keys.length, last: keys.at(-1) };
}

/** The beginning of a page out of its located keys, and where its rest starts. */
export function firstOfPage<Key>(
  keys: readonly Key[],
  limit: SizeLimit,
  render: (key: Key) => ItemText | null,
  encode: (key: Key) => string,
): Pick<ListPage, "items" | "rest"> {
  const { items, done, last } = renderKeys(keys, render, limit);
  const rest: PageRest | null =
    done < keys.length && last !== undefined ? { cursor: encode(last), items: keys.length - done } : null;
  return { items, rest };
}

/** A page of a cursor walk out of up to `pageSize + 1` located keys. */
export function cursorPage<Key>(
  located: readonly Key[],
  request: ChunkRequest,
  render: (key: Key) => ItemText | null,
  encode: (key: Key) => string,
): CursorPage {
  const { items, done, last } = renderKeys(located.slice(0, request.pageSize), render, request);
  return { items, nextCursor: done < located.length && last !== undefined ? encode(last) : null };
}

export const EMPTY_PAGE: ListPage = { items: [], total: 0, approximate: false, rest: null };
