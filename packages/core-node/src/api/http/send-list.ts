import type {
  ItemStream,
  ItemText,
  ListName,
  ListPage,
  ListQueries,
  ListRead,
  ListReads,
} from "@twentysix/storage";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "../errors.ts";
import type { ListMode } from "../query/pagination.ts";
import { disconnectSignal } from "./disconnect.ts";
import { sendJson } from "./json-reply.ts";
import { sendJsonStream } from "./json-stream.ts";
import { cursorFigures, type ListShape, listBody, pageFigures, streamedBody } from "./list-body.ts";
import { linkNext } from "./next-link.ts";

/** The rows of longer pages are not even located at once. */
const MAX_LOCATED_ITEMS = 1_000;

/** Of an answer that is made before it is sent. */
const MAX_HELD_CHARACTERS = 1024 * 1024;

interface ListCall {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

type Pages<Query> = Omit<ListRead<Query>, "cursor"> & Partial<Pick<ListRead<Query>, "cursor">>;

/** What all modes answer with. */
interface Answer<Query> extends ListCall {
  readonly shape: ListShape;
  readonly list: Pages<Query>;
  readonly query: Query;
  readonly pieces: ListReads["pieces"];
  readonly signal: AbortSignal;
}

/** Answers a list in the mode that was asked for. */
export function sendList<Name extends ListName>(
  { request, reply }: ListCall,
  mode: ListMode,
  shape: ListShape,
  lists: ListReads,
  name: Name,
  query: ListQueries[Name],
): Promise<FastifyReply> {
  const list = lists[name] as Pages<ListQueries[Name]>;
  const signal = disconnectSignal(reply);
  const answer: Answer<ListQueries[Name]> = {
    request,
    reply,
    shape,
    list,
    query,
    pieces: lists.pieces,
    signal,
  };
  if (mode.kind === "cursor" && list.cursor !== undefined) {
    return sendCursorPage(answer, mode, list.cursor(query, mode, { signal }));
  }
  const asked = { page: mode.kind === "page" ? mode.page : 1, pageSize: mode.pageSize };
  return mode.pageSize !== 0 && mode.pageSize <= MAX_LOCATED_ITEMS
    ? sendPage(answer, asked)
    : sendStreamedPage(answer, asked);
}

interface Asked {
  readonly page: number;
  readonly pageSize: number;
}

async function sendCursorPage<Query>(
  answer: Answer<Query>,
  { pageSize }: { readonly pageSize: number },
  reading: ReturnType<ListRead<Query>["cursor"]>,
): Promise<FastifyReply> {
  const { request, reply, shape } = answer;
  const { items, nextCursor } = await reading;
  if (items.length === 0) refuseEmpty(shape);
  if (nextCursor !== null) linkNext(request, reply, { cursor: nextCursor });
  return sendItems(answer, items, null, cursorFigures({ pageSize, nextCursor }));
}

async function sendPage<Query>(answer: Answer<Query>, asked: Asked): Promise<FastifyReply> {
  const { request, reply, shape, list, query, signal } = answer;
  const { items, total, approximate, rest } = await list.page(query, asked, { signal });
  if (items.length === 0) refuseEmpty(shape);
  announceTotal(reply, approximate);
  const count = items.length + (rest?.items ?? 0);
  if (count === asked.pageSize && (approximate || asked.page * asked.pageSize < total)) {
    linkNext(request, reply, { page: asked.page + 1 });
  }
  const following = rest === null ? null : list.rest(query, rest, { signal });
  return sendItems(answer, items, following, pageFigures(shape, { ...asked, total }));
}

/** Held items at once, others as they are read. */
function sendItems<Query>(
  { request, reply, shape, pieces, signal }: Answer<Query>,
  items: readonly ItemText[],
  rest: ItemStream | null,
  figures: string,
): FastifyReply | Promise<FastifyReply> {
  if (rest === null && areHeld(items)) {
    return sendJson(request, reply, listBody(shape, items, figures));
  }
  const readPieces = (text: ItemText) => pieces(text, { signal });
  return sendJsonStream(
    request,
    reply,
    streamedBody(shape, continued(items, rest), readPieces, () => figures),
  );
}

/** An unlimited or very long page: only where it starts is known, and how long it is once it was read. */
async function sendStreamedPage<Query>(
  { request, reply, shape, list, query, pieces, signal }: Answer<Query>,
  { page, pageSize }: Asked,
): Promise<FastifyReply> {
  request.server.streamSlots.takeFor(reply);
  const limit = pageSize === 0 ? Number.POSITIVE_INFINITY : pageSize;
  const countAll = async (): Promise<ListPage> => list.page(query, { page: 1, pageSize: 1 }, { signal });
  let skip = 0;
  if (page > 1) {
    skip = (page - 1) * pageSize;
    const { total, approximate } = await countAll();
    announceTotal(reply, approximate);
    // Far past the end: no need to walk the list to find nothing.
    if (!approximate && skip >= total) {
      refuseEmpty(shape);
      return sendJson(request, reply, listBody(shape, [], pageFigures(shape, { page, pageSize, total })));
    }
  }
  const chunks = await started(list.stream(query, { signal }));
  if (chunks === null) refuseEmpty(shape);
  const slice = new StreamSlice(chunks ?? noItems(), skip, limit);
  const figures = async (): Promise<string> => {
    const total = slice.isCut ? Math.max((await countAll()).total, slice.end) : slice.end;
    return pageFigures(shape, { page, pageSize, total });
  };
  const readPieces = (text: ItemText) => pieces(text, { signal });
  return sendJsonStream(request, reply, streamedBody(shape, slice.chunks(), readPieces, figures));
}

/** The items from `skip` on, at most `limit` of them, of a list that is read from its start. */
class StreamSlice {
  readonly #source: ItemStream;
  readonly #skip: number;
  readonly #limit: number;
  #seen = 0;
  #given = 0;

  constructor(source: ItemStream, skip: number, limit: number) {
    this.#source = source;
    this.#skip = skip;
    this.#limit = limit;
  }

  /** True when the list was not read to its end. */
  get isCut(): boolean {
    return this.#given >= this.#limit;
  }

  /** How many items the list has up to where it was read. */
  get end(): number {
    return this.isCut ? this.#skip + this.#given : this.#seen;
  }

  async *chunks(): ItemStream {
    for await (const chunk of this.#source) {
      const from = Math.max(0, this.#skip - this.#seen);
      const wanted = chunk.slice(from, from + this.#limit - this.#given);
      this.#seen += chunk.length;
      this.#given += wanted.length;
      yield wanted;
      if (this.isCut) return;
    }
  }
}

function refuseEmpty({ emptyRefusal }: ListShape): void {
  if (emptyRefusal !== undefined) throw new ApiError("API_NOT_FOUND", emptyRefusal);
}

/** Few enough bytes that any number of clients may take their time with them. */
function areHeld(items: readonly ItemText[]): items is readonly string[] {
  let characters = 0;
  for (const item of items) {
    if (typeof item !== "string") return false;
    characters += item.length;
  }
  return characters <= MAX_HELD_CHARACTERS;
}

async function* continued(items: readonly ItemText[], rest: ItemStream | null): ItemStream {
  yield items;
  if (rest !== null) yield* rest;
}

/** The same stream once it has its first items, null when it has none. */
async function started(stream: ItemStream): Promise<ItemStream | null> {
  const iterator = stream[Symbol.asyncIterator]();
  let first = await iterator.next();
  while (first.done !== true && first.value.length === 0) first = await iterator.next();
  if (first.done === true) return null;
  const { value } = first;
  return (async function* () {
    try {
      yield value;
      for (let step = await iterator.next(); step.done !== true; step = await iterator.next())
        yield step.value;
    } finally {
      await iterator.return?.();
    }
  })();
}

async function* noItems(): ItemStream {}

function announceTotal(reply: FastifyReply, approximate: boolean): void {
  if (approximate) reply.header("x-total-approximate", "true");
}
