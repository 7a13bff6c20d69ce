import type { ItemStream } from "@twentysix/storage";

/** How a list is written: its key, whether its items are elements or members, its name for clients. */
export interface ListShape {
  readonly key: string;
  readonly items: "array" | "object";
  /** Value of `pagination_item`; null where the route has none. */
  readonly itemName: string | null;
  /** Members before the list, as JSON text that ends in a comma, or nothing. */
  readonly leading: string;
  /** Set where an empty list is answered with 404 and this text. */
  readonly emptyRefusal?: string;
}

export interface PageFigures {
  readonly page: number;
  readonly pageSize: number;
  readonly total: number;
}

/** The whole body of a page. */
export function pageBody(shape: ListShape, items: readonly string[], figures: PageFigures): string {
  return `${opening(shape)}${items.join(",")}${closing(shape)}${pageFigures(shape, figures)}}`;
}

/** The whole body of a cursor page. */
export function cursorBody(
  shape: ListShape,
  items: readonly string[],
  pageSize: number,
  nextCursor: string | null,
): string {
  return `${opening(shape)}${items.join(",")}${closing(shape)},"pagination_per_page":${pageSize},"next_cursor":${JSON.stringify(nextCursor)}}`;
}

/**
 * The body of a page that is too long to be held: items from `skip` on, at most `limit` of them. The total is
 * what was counted when the list ended by itself, otherwise what `total` says.
 */
export async function* streamedPageBody(
  shape: ListShape,
  chunks: ItemStream,
  { page, pageSize, skip, limit }: { page: number; pageSize: number; skip: number; limit: number },
  total: () => Promise<number>,
): AsyncGenerator<string, void, undefined> {
  yield opening(shape);
  let seen = 0;
  let sent = 0;
  for await (const chunk of chunks) {
    const from = Math.max(0, skip - seen);
    const wanted = chunk.slice(from, from + limit - sent);
    seen += chunk.length;
    if (wanted.length > 0) yield (sent === 0 ? "" : ",") + wanted.join(",");
    sent += wanted.length;
    if (sent >= limit) break;
  }
  const counted = sent >= limit ? await total() : seen;
  yield `${closing(shape)}${pageFigures(shape, { page, pageSize, total: Math.max(counted, skip + sent) })}}`;
}

function opening({ leading, key, items }: ListShape): string {
  return `{${leading}${JSON.stringify(key)}:${items === "array" ? "[" : "{"}`;
}

function closing({ items }: ListShape): string {
  return items === "array" ? "]" : "}";
}

function pageFigures({ itemName }: ListShape, { page, pageSize, total }: PageFigures): string {
  const item = itemName === null ? "" : `,"pagination_item":${JSON.stringify(itemName)}`;
  return `,"pagination_page":${page},"pagination_per_page":${pageSize},"pagination_total":${total}${item}`;
}
