import type { ReadBudget } from "../read-budget.ts";
import type { CursorPage, CursorRequest, ListPage, PageRequest } from "../types.ts";

/** A cursor read may be cut short by size, so that a stream moves in bounded chunks. */
export interface ChunkRequest extends CursorRequest {
  /** Stops after the item that passes this many characters; at least one item is given. */
  readonly maxCharacters?: number;
}

/** One list on one connection: synchronous, in steps that the budget bounds. */
export interface ListReader<Query> {
  page(query: Query, page: PageRequest, budget: ReadBudget): ListPage;
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
  readonly items: string[];
  /** The last key that is part of `items` (or was skipped because it is gone). */
  readonly last: Key | undefined;
  readonly isCut: boolean;
}

/** Renders rows until the size is reached; a row that vanished since it was located is left out. */
export function renderKeys<Key>(
  keys: readonly Key[],
  render: (key: Key) => string | null,
  maxCharacters = Number.POSITIVE_INFINITY,
): Rendered<Key> {
  const items: string[] = [];
  let characters = 0;
  for (const [at, key] of keys.entries()) {
    const item = render(key);
    if (item === null) continue;
    items.push(item);
    characters += item.length;
    if (characters >= maxCharacters && at + 1 < keys.length) return { items, last: key, isCut: true };
  }
  return { items, last: keys.at(-1), isCut: false };
}

/** A page of a cursor walk out of up to `pageSize + 1` located keys. */
export function cursorPage<Key>(
  located: readonly Key[],
  request: ChunkRequest,
  render: (key: Key) => string | null,
  encode: (key: Key) => string,
): CursorPage {
  const hasMore = located.length > request.pageSize;
  const wanted = hasMore ? located.slice(0, request.pageSize) : located;
  const { items, last, isCut } = renderKeys(wanted, render, request.maxCharacters);
  return { items, nextCursor: (hasMore || isCut) && last !== undefined ? encode(last) : null };
}
