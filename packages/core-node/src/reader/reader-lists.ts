import type {
  AccountFilesPage,
  AuthorizationsOfAddress,
  CursorPage,
  ItemStream,
  ListName,
  ListPage,
  ListQueries,
  ListRead,
  ListReads,
  NodeMetricsRow,
} from "@twentysix/storage";
import type { ReadCall } from "./reader-protocol.ts";
import type { ReaderThread } from "./reader-thread.ts";

/** Items of one step of a stream, and the size at which a step ends earlier. */
const CHUNK_ITEMS = 1_000;
const CHUNK_CHARACTERS = 1024 * 1024;

/** The list reads as the API uses them, answered by the reader thread. */
export function createReaderLists(thread: Pick<ReaderThread, "call">): ListReads {
  return {
    messages: listRead(thread, "messages"),
    terminated: listRead(thread, "terminated"),
    hashes: listRead(thread, "hashes"),
    posts: listRead(thread, "posts"),
    aggregates: listRead(thread, "aggregates"),
    accountFiles: listRead<"accountFiles", AccountFilesPage>(thread, "accountFiles"),
    addressStats: listRead(thread, "addressStats"),
    accountFilesSize: (address, options) =>
      thread.call({ kind: "accountFilesSize", address }, options?.signal) as Promise<number>,
    authorizationsReceived: (address, filter = {}, options) =>
      thread.call({ kind: "authorizationsReceived", address, filter }, options?.signal) as Promise<
        readonly AuthorizationsOfAddress[]
      >,
    channels: (options) => thread.call({ kind: "channels" }, options?.signal) as Promise<readonly string[]>,
    programsOnMessage: (direction, options) =>
      thread.call({ kind: "programsOnMessage", direction }, options?.signal) as Promise<readonly string[]>,
    nodeMetrics: (query, options) =>
      thread.call({ kind: "nodeMetrics", query }, options?.signal) as Promise<readonly NodeMetricsRow[]>,
  };
}

function listRead<Name extends ListName, Page extends ListPage = ListPage>(
  thread: Pick<ReaderThread, "call">,
  list: Name,
): ListRead<ListQueries[Name], Page> {
  return {
    page: (query, page, options) =>
      thread.call({ kind: "page", list, query, page } as ReadCall, options?.signal) as Promise<Page>,
    cursor: (query, request, options) =>
      thread.call(
        { kind: "cursor", list, query, request } as ReadCall,
        options?.signal,
      ) as Promise<CursorPage>,
    stream: (query, options) => streamOf(thread, list, query, options?.signal),
  };
}

/**
 * A list without limit, in steps that each start where the last one ended: memory stays bounded, other calls get
 * their turn between two steps, and no long read keeps the log of the database from being checkpointed.
 */
async function* streamOf<Name extends ListName>(
  thread: Pick<ReaderThread, "call">,
  list: Name,
  query: ListQueries[Name],
  signal: AbortSignal | undefined,
): ItemStream {
  let cursor: string | null = null;
  do {
    const request = { cursor, pageSize: CHUNK_ITEMS, maxCharacters: CHUNK_CHARACTERS };
    const page = (await thread.call(
      { kind: "cursor", list, query, request } as ReadCall,
      signal,
    )) as CursorPage;
    if (page.items.length > 0) yield page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}
