import type { SqlConnection } from "../../sql/connection.ts";
import type { Counters } from "../counters.ts";
import { type CursorScope, filterDigest } from "../cursor.ts";
import type { Dictionaries } from "../dictionary.ts";
import { MessageRows } from "../message/message-rows.ts";
import { renderMessage } from "../message/render-message.ts";
import { selectMessages } from "../message/select-messages.ts";
import { locateByConfirmation } from "../timed/confirmation-order.ts";
import { locate } from "../timed/locate.ts";
import type { MessagesQuery } from "../types.ts";
import { messageSource } from "./message-source.ts";
import { totalMessages } from "./message-total.ts";
import { TimedList } from "./timed-list.ts";

/** Live messages, by time or by first confirmation. */
export function messageList(
  connection: SqlConnection,
  names: Dictionaries,
  counters: Counters,
): TimedList<MessagesQuery> {
  const rows = new MessageRows(connection, names);
  return new TimedList(connection, {
    source: messageSource(counters),
    select: ({ filter }) => selectMessages(connection, names, counters, filter),
    scope: scopeOf,
    renderer: (query) => (key) => {
      const row = rows.byId(key.id);
      return row === null ? null : renderMessage(row, query);
    },
    total: (list, { filter }) => totalMessages(counters, list, filter),
    locate: (list, paths, query, wanted) =>
      isByConfirmation(query) ? locateByConfirmation(list, paths, wanted) : locate(list, wanted),
  });
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
