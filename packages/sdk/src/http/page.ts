import { invalidInput } from "../errors.ts";
import type { AnswerObject } from "./answer-json.ts";

/** One page of a list. Pages are not snapshots: rows that arrive meanwhile shift the later ones. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly page: number;
  readonly pageSize: number;
  /** Of all pages; may lag behind by minutes. */
  readonly total: number;
}

export interface PageParameters {
  /** From 1, the default. */
  readonly page?: number | undefined;
  /** 20 by default; 0 asks for everything at once. */
  readonly pageSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export function pageQuery({ page, pageSize }: PageParameters): { page?: number; pagination?: number } {
  return {
    ...(page === undefined ? {} : { page }),
    ...(pageSize === undefined ? {} : { pagination: pageSize }),
  };
}

export function readPage<Item>(
  answer: AnswerObject,
  key: string,
  readItem: (item: AnswerObject) => Item,
): Page<Item> {
  return {
    items: answer.objects(key).map(readItem),
    page: answer.number("pagination_page"),
    pageSize: answer.number("pagination_per_page"),
    total: answer.number("pagination_total"),
  };
}

export interface IterateParameters {
  /** Rows of one call, 1 to 200; 200 by default. */
  readonly pageSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * All rows of a list, page by page along the node's cursor, as long as the consumer asks for more.
 *
 * `fetchPage` gets the cursor, empty at first. A cursor that does not move is an SDK_BAD_ANSWER: the loop would
 * never end.
 */
export async function* iterateCursor<Item>(
  { pageSize = 200, signal }: IterateParameters,
  key: string,
  fetchPage: (cursor: { readonly cursor: string; readonly pagination: number }) => Promise<AnswerObject>,
  readItem: (item: AnswerObject) => Item,
): AsyncGenerator<Item, void, undefined> {
  if (!(Number.isInteger(pageSize) && pageSize >= 1 && pageSize <= 200)) {
    throw invalidInput("pageSize", `pageSize is ${pageSize}; cursors give 1 to 200 rows a call`);
  }
  let cursor = "";
  for (;;) {
    signal?.throwIfAborted();
    const answer = await fetchPage({ cursor, pagination: pageSize });
    for (const item of answer.objects(key)) yield readItem(item);
    const next = answer.textOrNull("next_cursor");
    if (next === null) return;
    if (next === cursor) throw answer.bad("next_cursor", "a new position");
    cursor = next;
  }
}
