import type {
  AccountFilesPage,
  AggregateOutline,
  AuthorizationsPage,
  ChunkRequest,
  CreditHistoryFilter,
  CreditPosition,
  CreditSumStep,
  CreditSums,
  CursorPage,
  ForecastFacts,
  ItemStream,
  ItemText,
  JsonText,
  ListName,
  ListPage,
  ListQueries,
  ListRead,
  ListReads,
  NodeMetricsPage,
  OmittedHolders,
  PageRest,
  Piece,
  PiecePosition,
  ReadOptions,
} from "@twentysix/storage";
import { DEFAULT_LIST_LIMITS, type ListLimits } from "./list-limits.ts";
import type { ListCall } from "./reader-protocol.ts";

interface Caller {
  call(call: ListCall, signal?: AbortSignal): Promise<unknown>;
}

export type ReadLimits = Pick<ListLimits, "stepItems" | "stepBytes" | "maxCursorPageBytes">;

/** Items of the first step, and the fewest of any: how many fit is known after each. */
const FIRST_STEP_ITEMS = 100;
const MIN_STEP_ITEMS = 10;

/** The list reads as the API uses them, answered by the reader thread. */
export function createReaderLists(thread: Caller, limits: ReadLimits = DEFAULT_LIST_LIMITS): ListReads {
  const listRead = <Name extends ListName, Page extends ListPage = ListPage>(name: Name) =>
    listReadOf<Name, Page>(thread, name, limits);
  return {
    messages: listRead("messages"),
    terminated: listRead("terminated"),
    hashes: listRead("hashes"),
    posts: listRead("posts"),
    aggregates: listRead("aggregates"),
    accountFiles: listRead<"accountFiles", AccountFilesPage>("accountFiles"),
    addressStats: listRead("addressStats"),
    balances: listRead("balances"),
    creditBalances: listRead("creditBalances"),
    creditHistory: listRead("creditHistory"),
    costs: listRead("costs"),
    endedCosts: listRead("endedCosts"),
    creditSummary: (address, filter, options) => sumInSteps(thread, address, filter, options?.signal),
    omittedHolders: (publication, options) =>
      thread.call({ kind: "omittedHolders", publication }, options?.signal) as Promise<OmittedHolders>,
    forecastFacts: (address, nowMicros, options) =>
      thread.call({ kind: "forecastFacts", address, nowMicros }, options?.signal) as Promise<ForecastFacts>,
    accountFilesSize: (address, options) =>
      thread.call({ kind: "accountFilesSize", address }, options?.signal) as Promise<number>,
    pieces: (text, options) => piecesOf(thread, text, options?.signal),
    aggregateOutlines: (address, keys, options) =>
      thread.call({ kind: "aggregateOutlines", address, keys }, options?.signal) as Promise<
        readonly AggregateOutline[]
      >,
    authorizations: (query, page, options) =>
      thread.call({ kind: "authorizations", query, page }, options?.signal) as Promise<AuthorizationsPage>,
    channels: (options) =>
      inSteps(limits, WHOLE_LIST, (request) => cursorCall(thread, { kind: "channels", request }, options)),
    programsOnMessage: (direction, options) =>
      inSteps(limits, WHOLE_LIST, (request) =>
        cursorCall(thread, { kind: "programsOnMessage", direction, request }, options),
      ),
    nodeMetrics: (query, options) =>
      thread.call({ kind: "nodeMetrics", query }, options?.signal) as Promise<NodeMetricsPage>,
  };
}

const WHOLE_LIST = { cursor: null, items: Number.POSITIVE_INFINITY };

function listReadOf<Name extends ListName, Page extends ListPage>(
  thread: Caller,
  list: Name,
  limits: ReadLimits,
): ListRead<ListQueries[Name], Page> {
  const { stepBytes, maxCursorPageBytes } = limits;
  const readStep = (query: ListQueries[Name], request: ChunkRequest, options?: ReadOptions) =>
    cursorCall(thread, { kind: "cursor", list, query, request } as ListCall, options);
  return {
    page: (query, page, options) =>
      thread.call(
        { kind: "page", list, query, page: { ...page, maxBytes: stepBytes } } as ListCall,
        options?.signal,
      ) as Promise<Page>,
    rest: (query, rest, options) => inSteps(limits, rest, (request) => readStep(query, request, options)),
    cursor: (query, request, options) =>
      readStep(query, { ...request, maxBytes: maxCursorPageBytes }, options),
    stream: (query, options) => inSteps(limits, WHOLE_LIST, (request) => readStep(query, request, options)),
  };
}

function cursorCall(thread: Caller, call: ListCall, options: ReadOptions | undefined): Promise<CursorPage> {
  return thread.call(call, options?.signal) as Promise<CursorPage>;
}

/**
 * A part of a list, in steps that each start where the last one ended: memory stays bounded, other calls get their
 * turn between two steps, and no long read keeps the log of the database from being checkpointed.
 */
async function* inSteps(
  { stepItems, stepBytes }: ReadLimits,
  from: Omit<PageRest, "cursor"> & { readonly cursor: string | null },
  read: (request: ChunkRequest) => Promise<CursorPage>,
): ItemStream {
  let { cursor, items: left } = from;
  let wanted = Math.min(stepItems, FIRST_STEP_ITEMS);
  do {
    const page = await read({ cursor, pageSize: Math.min(wanted, left), maxBytes: stepBytes });
    if (page.items.length > 0) yield page.items;
    left -= page.items.length;
    // Keys of items that do not fit into the step would be located for nothing.
    wanted = Math.min(stepItems, Math.max(MIN_STEP_ITEMS, page.items.length * 2));
    cursor = page.nextCursor;
  } while (cursor !== null && left > 0);
}

/** Sums over a history part by part, so that other calls get their turn in between. */
async function sumInSteps(
  thread: Caller,
  address: string,
  filter: CreditHistoryFilter,
  signal: AbortSignal | undefined,
): Promise<CreditSums> {
  let sums: CreditSums = { entries: 0, incoming: 0n, outgoing: 0n };
  let after: CreditPosition | null = null;
  do {
    const step = (await thread.call(
      { kind: "creditSummary", address, filter, after },
      signal,
    )) as CreditSumStep;
    sums = {
      entries: sums.entries + step.entries,
      incoming: sums.incoming + step.incoming,
      outgoing: sums.outgoing + step.outgoing,
    };
    after = step.next;
  } while (after !== null);
  return sums;
}

async function* piecesOf(
  thread: Caller,
  text: ItemText,
  signal: AbortSignal | undefined,
): AsyncGenerator<JsonText | Uint8Array, void, undefined> {
  for (const part of typeof text === "string" ? [text] : text.parts) {
    if (typeof part === "string") {
      yield part;
      continue;
    }
    let position: PiecePosition | null = null;
    do {
      const piece = (await thread.call({ kind: "piece", part, position }, signal)) as Piece;
      yield piece.bytes;
      position = piece.next;
    } while (position !== null);
  }
}
