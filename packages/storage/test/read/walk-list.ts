import {
  type CursorPage,
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
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

export const hashesOf = (items: readonly string[]): string[] =>
  items.map((item) => (JSON.parse(item) as { item_hash: string }).item_hash);
