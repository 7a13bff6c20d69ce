import type { ItemStream, ItemText, JsonText } from "@twentysix/storage";

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

export interface CursorFigures {
  readonly pageSize: number;
  readonly nextCursor: string | null;
}

/** A part of a body: text, or bytes of text in which a character may be cut. */
export type BodyPiece = JsonText | Uint8Array;
export type ReadPieces = (text: ItemText) => AsyncIterable<BodyPiece>;

/** The whole body of a list. */
export function listBody(shape: ListShape, items: readonly JsonText[], figures: string): string {
  return `${opening(shape)}${items.join(",")}${closing(shape)}${figures}}`;
}

/** The body of a list that is not held: the figures are asked for when the items have been sent. */
export async function* streamedBody(
  shape: ListShape,
  chunks: ItemStream,
  readPieces: ReadPieces,
  figures: () => string | Promise<string>,
): AsyncGenerator<BodyPiece, void, undefined> {
  yield* joinedItems(opening(shape), chunks, closing(shape), readPieces);
  yield `${await figures()}}`;
}

/** The items of a list with commas between them, `before` in front and `after` behind. */
export async function* joinedItems(
  before: string,
  chunks: ItemStream,
  after: string,
  readPieces: ReadPieces,
): AsyncGenerator<BodyPiece, void, undefined> {
  let separator = before;
  for await (const chunk of chunks) {
    for (const item of chunk) {
      yield separator;
      if (typeof item === "string") yield item;
      else yield* readPieces(item);
      separator = ",";
    }
  }
  yield separator === "," ? after : before + after;
}

/** Figures of a page, for behind its items. */
export function pageFigures({ itemName }: ListShape, { page, pageSize, total }: PageFigures): string {
  const item = itemName === null ? "" : `,"pagination_item":${JSON.stringify(itemName)}`;
  return `,"pagination_page":${page},"pagination_per_page":${pageSize},"pagination_total":${total}${item}`;
}

/** Figures of a cursor page, for behind its items. */
export function cursorFigures({ pageSize, nextCursor }: CursorFigures): string {
  return `,"pagination_per_page":${pageSize},"next_cursor":${JSON.stringify(nextCursor)}`;
}

function opening({ leading, key, items }: ListShape): string {
  return `{${leading}${JSON.stringify(key)}:${items === "array" ? "[" : "{"}`;
}

function closing({ items }: ListShape): string {
  return items === "array" ? "]" : "}";
}
