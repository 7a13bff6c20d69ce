import type { SqliteConnection } from "../../sqlite/connection.ts";
import type { Counters } from "../counters.ts";
import { type CursorScope, filterDigest } from "../cursor.ts";
import type { Dictionaries } from "../dictionary.ts";
import { MessageRows } from "../message/message-rows.ts";
import { renderMessage } from "../message/render-message.ts";
import { selectMessages } from "../message/select-messages.ts";
import type { ReadBudget } from "../read-budget.ts";
import { type AccessPaths, readAccessPaths } from "../timed/access-path.ts";
import { locateByConfirmation } from "../timed/confirmation-order.ts";
import { decodeKeyCursor, encodeKeyCursor } from "../timed/key-cursor.ts";
import { type Located, locate, type Wanted } from "../timed/locate.ts";
import { planSelection } from "../timed/plan.ts";
import type { RowKey, TimedSource } from "../timed/source.ts";
import type { CursorPage, ListPage, MessagesQuery, PageRequest } from "../types.ts";
import { type ChunkRequest, cursorPage, type ListReader, renderKeys, totalOf } from "./list-reader.ts";
import { messageSource } from "./message-source.ts";
import { totalMessages } from "./message-total.ts";

const EMPTY_PAGE: ListPage = { items: [], total: 0, approximate: false };

/** Live messages, by time or by first confirmation. */
export class MessageList implements ListReader<MessagesQuery> {
  readonly #connection: SqliteConnection;
  readonly #names: Dictionaries;
  readonly #counters: Counters;
  readonly #source: TimedSource;
  readonly #paths: AccessPaths;
  readonly #rows: MessageRows;

  constructor(connection: SqliteConnection, names: Dictionaries, counters: Counters) {
    this.#connection = connection;
    this.#names = names;
    this.#counters = counters;
    this.#source = messageSource(counters);
    this.#paths = readAccessPaths(connection, this.#source);
    this.#rows = new MessageRows(connection, names);
  }

  page(query: MessagesQuery, page: PageRequest, budget: ReadBudget): ListPage {
    const list = this.#prepare(query, budget);
    if (list === null) return EMPTY_PAGE;
    const skip = (page.page - 1) * page.pageSize;
    const keys = this.#locate(list, query, {
      direction: query.direction,
      after: null,
      skip,
      limit: page.pageSize,
    });
    const { items } = renderKeys(keys, this.#renderer(query));
    const count = () => totalMessages(this.#counters, list, query.filter);
    return { items, ...totalOf(page, keys.length, count) };
  }

  cursor(query: MessagesQuery, request: ChunkRequest, budget: ReadBudget): CursorPage {
    const scope = scopeOf(query);
    const after = decodeKeyCursor(scope, request.cursor);
    const list = this.#prepare(query, budget);
    if (list === null) return { items: [], nextCursor: null };
    const wanted = { direction: query.direction, after, skip: 0, limit: request.pageSize + 1 };
    const keys = this.#locate(list, query, wanted);
    return cursorPage(keys, request, this.#renderer(query), (key) => encodeKeyCursor(scope, key));
  }

  #prepare({ filter }: MessagesQuery, budget: ReadBudget): Located | null {
    const selection = selectMessages(this.#connection, this.#names, this.#counters, filter);
    if (selection === null) return null;
    const plan = planSelection(this.#connection, this.#source, this.#paths.usable, selection);
    return { connection: this.#connection, source: this.#source, selection, plan, budget };
  }

  #locate(list: Located, query: MessagesQuery, wanted: Wanted): RowKey[] {
    return isByConfirmation(query) ? locateByConfirmation(list, this.#paths, wanted) : locate(list, wanted);
  }

  #renderer(query: MessagesQuery): (key: RowKey) => string | null {
    return ({ id }) => {
      const row = this.#rows.byId(id);
      return row === null ? null : renderMessage(row, query);
    };
  }
}

/** Block filters cut along the confirmations, so they order like them too. */
function isByConfirmation({ sortBy, filter }: MessagesQuery): boolean {
  return sortBy === "confirmation" || filter.startBlock !== undefined || filter.endBlock !== undefined;
}

function scopeOf(query: MessagesQuery): CursorScope {
  const order = isByConfirmation(query) ? "confirmation" : "time";
  return {
    list: "messages",
    order: `${order} ${query.direction}`,
    digest: filterDigest(query.filter),
    times: order === "time" ? 1 : 2,
    texts: 1,
  };
}
