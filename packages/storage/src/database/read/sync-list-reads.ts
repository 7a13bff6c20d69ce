import type { SqlConnection } from "../sql/connection.ts";
import { AggregateRows } from "./aggregate/aggregate-rows.ts";
import { Authorizations } from "./authorizations/authorizations.ts";
import { Counters } from "./counters.ts";
import { openDictionaries } from "./dictionary.ts";
import { BalanceList } from "./ledger/balance-list.ts";
import { CostList } from "./ledger/cost-list.ts";
import { CreditBalanceList } from "./ledger/credit-balance-list.ts";
import { CreditHistoryList } from "./ledger/credit-history-list.ts";
import { creditSummary } from "./ledger/credit-summary.ts";
import { EndedCostList } from "./ledger/ended-cost-list.ts";
import { forecastFacts } from "./ledger/forecast-facts.ts";
import { omittedHolders } from "./ledger/full-publications.ts";
import type {
  BalancesQuery,
  CostsQuery,
  CreditBalancesQuery,
  CreditHistoryFilter,
  CreditHistoryQuery,
  CreditPosition,
  CreditSumStep,
  EndedCostsQuery,
  ForecastFacts,
  FullPublication,
  OmittedHolders,
} from "./ledger/ledger-views.ts";
import { AggregateList } from "./lists/aggregate-list.ts";
import { walkChannels } from "./lists/channel-walk.ts";
import { fileList, sizeOfFiles } from "./lists/file-list.ts";
import { hashList } from "./lists/hash-list.ts";
import type { ChunkRequest, ListReader } from "./lists/list-reader.ts";
import { messageList } from "./lists/message-list.ts";
import { nodeMetrics } from "./lists/node-metrics.ts";
import { postList } from "./lists/post-list.ts";
import { StatsList } from "./lists/stats-list.ts";
import { walkTriggers } from "./lists/trigger-walk.ts";
import { LongTexts } from "./long-text/long-texts.ts";
import type { NodeMetricsPage, NodeMetricsQuery } from "./node-metrics-views.ts";
import type { ReadBudget } from "./read-budget.ts";
import { TerminatedList } from "./terminated/terminated-list.ts";
import type { LongPart, Piece, PiecePosition } from "./text-types.ts";
import type {
  AccountFilesQuery,
  AddressStatsQuery,
  AggregateOutline,
  AggregatesQuery,
  AuthorizationsPage,
  AuthorizationsQuery,
  CursorPage,
  Direction,
  HashesQuery,
  MessagesQuery,
  PageRequest,
  PostsQuery,
  TerminatedQuery,
} from "./types.ts";

/** The lists by name, with what each is asked. */
export interface ListQueries {
  readonly messages: MessagesQuery;
  readonly terminated: TerminatedQuery;
  readonly hashes: HashesQuery;
  readonly posts: PostsQuery;
  readonly aggregates: AggregatesQuery;
  readonly accountFiles: AccountFilesQuery;
  readonly addressStats: AddressStatsQuery;
  readonly balances: BalancesQuery;
  readonly creditBalances: CreditBalancesQuery;
  readonly creditHistory: CreditHistoryQuery;
  readonly costs: CostsQuery;
  readonly endedCosts: EndedCostsQuery;
}
export type ListName = keyof ListQueries;

/** All list reads of one connection, synchronous: for the thread that does nothing else. */
export interface SyncListReads {
  readonly lists: { readonly [Name in ListName]: ListReader<ListQueries[Name]> };
  accountFilesSize(address: string): number;
  /** @throws ReadError ANSWER_TOO_LARGE */
  authorizations(query: AuthorizationsQuery, page: PageRequest, budget: ReadBudget): AuthorizationsPage;
  channels(request: ChunkRequest, budget: ReadBudget): CursorPage;
  programsOnMessage(direction: Direction, request: ChunkRequest, budget: ReadBudget): CursorPage;
  aggregateOutlines(
    address: string,
    keys: readonly string[] | null,
    budget: ReadBudget,
  ): readonly AggregateOutline[];
  /** One piece of a long text. @throws ReadError TEXT_CHANGED, ANSWER_TOO_LARGE */
  piece(part: LongPart, position: PiecePosition | null, budget: ReadBudget): Piece;
  /** Frees what is held for pieces that may never be asked for. */
  releaseTexts(): void;
  nodeMetrics(query: NodeMetricsQuery): NodeMetricsPage;
  /** The sums over a part of a history, and where the next part starts. */
  creditSummary(address: string, filter: CreditHistoryFilter, after: CreditPosition | null): CreditSumStep;
  forecastFacts(address: string, nowMicros: bigint): ForecastFacts;
  omittedHolders(publication: FullPublication): OmittedHolders;
}

export function createListReads(connection: SqlConnection): SyncListReads {
  const names = openDictionaries(connection);
  const counters = new Counters(connection);
  const aggregates = new AggregateRows(connection, names);
  const authorizations = new Authorizations(connection, names);
  const texts = new LongTexts(connection);
  return {
    lists: {
      messages: messageList(connection, names, counters),
      terminated: new TerminatedList(connection, names, counters),
      hashes: hashList(connection, counters),
      posts: postList(connection, names, counters),
      aggregates: new AggregateList(connection, names, counters),
      accountFiles: fileList(connection, names, counters),
      addressStats: new StatsList(connection),
      balances: new BalanceList(connection, names, counters),
      creditBalances: new CreditBalanceList(connection),
      creditHistory: new CreditHistoryList(connection, names, counters),
      costs: new CostList(connection, names),
      endedCosts: new EndedCostList(connection, names),
    },
    accountFilesSize: (address) => sizeOfFiles(names, counters, address),
    authorizations: (query, page, budget) => authorizations.page(query, page, budget),
    channels: (request, budget) => walkChannels(connection, names, request, budget),
    programsOnMessage: (direction, request, budget) => walkTriggers(connection, direction, request, budget),
    aggregateOutlines: (address, keys, budget) => aggregates.outlines(address, keys, budget),
    piece: (part, position, budget) => texts.piece(part, position, budget),
    releaseTexts: () => texts.release(),
    nodeMetrics: (query) => nodeMetrics(connection, query),
    creditSummary: (address, filter, after) =>
      creditSummary(connection, names, counters, address, filter, after),
    omittedHolders: (publication) => omittedHolders(connection, publication),
    forecastFacts: (address, nowMicros) => forecastFacts(connection, names, address, nowMicros),
  };
}
