import { MAX_PAGE_SIZE, type Query } from "./query.ts";

/** The envelope of lists. */
export interface PageView<Item> {
  readonly items: readonly Item[];
  readonly pagination: {
    readonly page: number;
    readonly page_size: number;
    readonly total_items: number;
    readonly total_pages: number;
  };
  /** Where the next rows are; only in answers to `limit` and `cursor`. */
  readonly next_cursor?: string | null;
}

export function pageView<Item>(
  items: readonly Item[],
  { page, pageSize }: { readonly page: number; readonly pageSize: number },
  total: number,
): PageView<Item> {
  return {
    items,
    pagination: {
      page,
      page_size: pageSize,
      total_items: total,
      // Of an empty list too: clients read both, and most divide by it.
      total_pages: Math.max(1, Math.ceil(total / pageSize)),
    },
  };
}

/** One page of rows that are in the order in which they were first seen, by page number or behind a cursor. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  query: Query,
  orderOf: (row: Row) => number,
  view: (row: Row) => Item,
): PageView<Item> {
  const isDescending = query.oneOf("order", ["asc", "desc"])?.[0] === "desc";
  const ordered = isDescending ? [...rows].reverse() : rows;
  const limit = query.integer("limit", { min: 1, max: Number.MAX_SAFE_INTEGER });
  if (limit === null) {
    const { page, pageSize } = query.page();
    const start = (page - 1) * pageSize;
    return pageView(ordered.slice(start, start + pageSize).map(view), { page, pageSize }, rows.length);
  }
  const cursor = query.integer("cursor", { min: 0, max: Number.MAX_SAFE_INTEGER });
  const pageSize = Math.min(limit, MAX_PAGE_SIZE);
  const isBehind = (row: Row): boolean =>
    cursor === null || (isDescending ? orderOf(row) < cursor : orderOf(row) > cursor);
  const left = ordered.filter(isBehind);
  const taken = left.slice(0, pageSize);
  const last = taken.at(-1);
  const next = last === undefined || taken.length === left.length ? null : String(orderOf(last));
  return { ...pageView(taken.map(view), { page: 1, pageSize }, rows.length), next_cursor: next };
}
