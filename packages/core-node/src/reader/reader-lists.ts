import {
  type AccountFilesPage,
  type AuthorizationsOfAddress,
  type CursorPage,
  type ItemStream,
  type ListName,
  type ListPage,
  type ListQueries,
  type ListRead,
  type ListReads,
  type NodeMetricsRow,
  ReadError,
} from "@twentysix/storage";
import type { ReadCall } from "./reader-protocol.ts";
import type { ReaderThread } from "./reader-thread.ts";

/**
 * Items of one step of a stream, and the size at which a step ends earlier. A client that does not read holds
 * several steps in their different forms.
 */
const CHUNK_ITEMS = 1_000;
const CHUNK_CHARACTERS = 128 * 1024;
/** Streams open at once; one more is told to come back. */
const MAX_STREAMS = 64;

/** The list reads as the API uses them, answered by the reader thread. */
export function createReaderLists(thread: Pick<ReaderThread, "call">): ListReads {
  const streams = new StreamSlots();
  const listRead = <Name extends ListName, Page extends ListPage = ListPage>(name: Name) =>
    listReadOf<Name, Page>(thread, name, streams);
  return {
    messages: listRead("messages"),
    terminated: listRead("terminated"),
    hashes: listRead("hashes"),
    posts: listRead("posts"),
    aggregates: listRead("aggregates"),
    accountFiles: listRead<"accountFiles", AccountFilesPage>("accountFiles"),
    addressStats: listRead("addressStats"),
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

/** Counts the streams that are open. */
class StreamSlots {
  #open = 0;

  /** @throws ReadError READ_QUEUE_FULL */
  take(): Disposable {
    if (this.#open >= MAX_STREAMS) {
      const message = "too many lists without limit are being read: ask for a page, or try again in a moment";
      throw new ReadError("READ_QUEUE_FULL", message, { maxStreams: MAX_STREAMS });
    }
    this.#open += 1;
    return {
      [Symbol.dispose]: () => {
        this.#open -= 1;
      },
    };
  }
}

function listReadOf<Name extends ListName, Page extends ListPage>(
  thread: Pick<ReaderThread, "call">,
  list: Name,
  streams: StreamSlots,
): ListRead<ListQueries[Name], Page> {
  return {
    page: (query, page, options) =>
      thread.call({ kind: "page", list, query, page } as ReadCall, options?.signal) as Promise<Page>,
    cursor: (query, request, options) =>
      thread.call(
        { kind: "cursor", list, query, request } as ReadCall,
        options?.signal,
      ) as Promise<CursorPage>,
    stream: (query, options) => streamOf(thread, list, query, streams, options?.signal),
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
  streams: StreamSlots,
  signal: AbortSignal | undefined,
): ItemStream {
  using _slot = streams.take();
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
