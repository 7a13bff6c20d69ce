import type { ItemStream, ListPage, ListRead } from "@twentysix/storage";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "../errors.ts";
import type { ListMode } from "../query/pagination.ts";
import { disconnectSignal } from "./disconnect.ts";
import { sendJson } from "./json-reply.ts";
import { sendJsonStream } from "./json-stream.ts";
import { cursorBody, type ListShape, pageBody, streamedPageBody } from "./list-body.ts";
import { linkNext } from "./next-link.ts";

/** Longer pages are streamed instead of being held in memory. */
const MAX_HELD_ITEMS = 1_000;

interface ListCall {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Answers a list in the mode that was asked for. */
export function sendList<Query, Page extends ListPage>(
  call: ListCall,
  mode: ListMode,
  shape: ListShape,
  list: Pick<ListRead<Query, Page>, "page" | "stream"> & Partial<Pick<ListRead<Query, Page>, "cursor">>,
  query: Query,
): Promise<FastifyReply> {
  const signal = disconnectSignal(call.reply);
  if (mode.kind === "cursor" && list.cursor !== undefined) {
    return sendCursorPage(call, mode, shape, list.cursor(query, mode, { signal }));
  }
  const page = mode.kind === "page" ? mode.page : 1;
  if (mode.pageSize !== 0 && mode.pageSize <= MAX_HELD_ITEMS) {
    return sendPage(call, shape, { page, pageSize: mode.pageSize }, list, query, signal);
  }
  return sendStreamedPage(call, shape, { page, pageSize: mode.pageSize }, list, query, signal);
}

async function sendCursorPage(
  { request, reply }: ListCall,
  mode: { readonly pageSize: number },
  shape: ListShape,
  reading: ReturnType<ListRead<never>["cursor"]>,
): Promise<FastifyReply> {
  const { items, nextCursor } = await reading;
  if (items.length === 0) refuseEmpty(shape);
  if (nextCursor !== null) linkNext(request, reply, { cursor: nextCursor });
  return sendJson(request, reply, cursorBody(shape, items, mode.pageSize, nextCursor));
}

async function sendPage<Query, Page extends ListPage>(
  { request, reply }: ListCall,
  shape: ListShape,
  asked: { readonly page: number; readonly pageSize: number },
  list: Pick<ListRead<Query, Page>, "page">,
  query: Query,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const { items, total, approximate } = await list.page(query, asked, { signal });
  if (items.length === 0) refuseEmpty(shape);
  announceTotal(reply, approximate);
  if (items.length === asked.pageSize && (approximate || asked.page * asked.pageSize < total)) {
    linkNext(request, reply, { page: asked.page + 1 });
  }
  return sendJson(request, reply, pageBody(shape, items, { ...asked, total }));
}

/** An unlimited or very long page: nothing is held but one chunk. */
async function sendStreamedPage<Query, Page extends ListPage>(
  { request, reply }: ListCall,
  shape: ListShape,
  { page, pageSize }: { readonly page: number; readonly pageSize: number },
  list: Pick<ListRead<Query, Page>, "page" | "stream">,
  query: Query,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const limit = pageSize === 0 ? Number.POSITIVE_INFINITY : pageSize;
  const countAll = async (): Promise<ListPage> => list.page(query, { page: 1, pageSize: 1 }, { signal });
  let skip = 0;
  if (page > 1) {
    skip = (page - 1) * pageSize;
    const { total, approximate } = await countAll();
    announceTotal(reply, approximate);
    // Far past the end: no need to walk the list to find nothing.
    if (!approximate && skip >= total) refuseEmpty(shape);
    if (!approximate && skip >= total)
      return sendJson(request, reply, pageBody(shape, [], { page, pageSize, total }));
  }
  const chunks = await started(list.stream(query, { signal }));
  if (chunks === null) refuseEmpty(shape);
  const pieces = streamedPageBody(
    shape,
    chunks ?? noItems(),
    { page, pageSize, skip, limit },
    async () => (await countAll()).total,
  );
  return sendJsonStream(request, reply, pieces);
}

function refuseEmpty({ emptyRefusal }: ListShape): void {
  if (emptyRefusal !== undefined) throw new ApiError("API_NOT_FOUND", emptyRefusal);
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

async function* noItems(): AsyncGenerator<readonly string[], void, undefined> {}

function announceTotal(reply: FastifyReply, approximate: boolean): void {
  if (approximate) reply.header("x-total-approximate", "true");
}
