import type { SqliteConnection } from "../sqlite/connection.ts";
import { authorizationsReceived } from "./authorizations.ts";
import { Counters } from "./counters.ts";
import { openDictionaries } from "./dictionary.ts";
import { AggregateList } from "./lists/aggregate-list.ts";
import { fileList, sizeOfFiles } from "./lists/file-list.ts";
import { hashList } from "./lists/hash-list.ts";
import type { ListReader } from "./lists/list-reader.ts";
import { messageList } from "./lists/message-list.ts";
import { allChannels, nodeMetrics, programsOnMessage } from "./lists/node-lists.ts";
import { postList } from "./lists/post-list.ts";
import { StatsList } from "./lists/stats-list.ts";
import type { ReadBudget } from "./read-budget.ts";
import { TerminatedList } from "./terminated/terminated-list.ts";
import type {
  AccountFilesQuery,
  AddressStatsQuery,
  AggregatesQuery,
  AuthorizationFilter,
  AuthorizationsOfAddress,
  Direction,
  HashesQuery,
  JsonText,
  MessagesQuery,
  NodeMetricsQuery,
  NodeMetricsRow,
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
}
export type ListName = keyof ListQueries;

/** All list reads of one connection, synchronous: for the thread that does nothing else. */
export interface SyncListReads {
  readonly lists: { readonly [Name in ListName]: ListReader<ListQueries[Name]> };
  accountFilesSize(address: string): number;
  authorizationsReceived(
    address: string,
    filter: AuthorizationFilter,
    budget: ReadBudget,
  ): readonly AuthorizationsOfAddress[];
  channels(budget: ReadBudget): readonly string[];
  programsOnMessage(direction: Direction): readonly JsonText[];
  nodeMetrics(query: NodeMetricsQuery): readonly NodeMetricsRow[];
}

export function createSqliteListReads(connection: SqliteConnection): SyncListReads {
  const names = openDictionaries(connection);
  const counters = new Counters(connection);
  return {
    lists: {
      messages: messageList(connection, names, counters),
      terminated: new TerminatedList(connection, names, counters),
      hashes: hashList(connection, counters),
      posts: postList(connection, names, counters),
      aggregates: new AggregateList(connection, names, counters),
      accountFiles: fileList(connection, names, counters),
      addressStats: new StatsList(counters, names.addresses),
    },
    accountFilesSize: (address) => sizeOfFiles(names, counters, address),
    authorizationsReceived: (address, filter, budget) =>
      authorizationsReceived(connection, names, address, filter, budget),
    channels: (budget) => allChannels(connection, names, budget),
    programsOnMessage: (direction) => programsOnMessage(connection, direction),
    nodeMetrics: (query) => nodeMetrics(connection, query),
  };
}
