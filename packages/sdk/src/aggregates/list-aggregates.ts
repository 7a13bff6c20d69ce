import type { JsonObject } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { type AnswerObject, getObject } from "../http/answer-json.ts";
import { type Page, type PageParameters, pageQuery, readPage } from "../http/page.ts";
import { buildQuery } from "../http/query.ts";
import { type MessageListFormat, sortOrder } from "../messages/message-filter.ts";

/** One aggregate with its merged content, with the keys of the wire. */
export interface AggregateObject {
  readonly address: string;
  readonly key: string;
  readonly content: JsonObject;
  /** ISO 8601 with offset. */
  readonly created: string;
  /** ISO 8601 with offset. */
  readonly last_updated: string;
}

export interface ListAggregatesParameters extends Pick<MessageListFormat, "order">, PageParameters {
  readonly owners?: readonly string[] | undefined;
  readonly keys?: readonly string[] | undefined;
  /** Last change by default. */
  readonly sortBy?: "last_modified" | "creation_time" | undefined;
}

/**
 * One page of aggregates, 1 to 500 of them, the last changed first unless told otherwise.
 *
 * Errors: SDK_INVALID_INPUT, SDK_BAD_ANSWER and those of `request`.
 *
 * @example
 * const { items } = await listAggregates(connection, { keys: ["profile"], pageSize: 100 });
 */
export async function listAggregates(
  connection: Connection,
  parameters: ListAggregatesParameters,
): Promise<Page<AggregateObject>> {
  const query = buildQuery({
    addresses: parameters.owners,
    keys: parameters.keys,
    sortBy: parameters.sortBy,
    sortOrder: sortOrder(parameters.order),
    ...pageQuery(parameters),
  });
  const { signal } = parameters;
  const answer = await getObject(connection, { path: "/api/v0/aggregates.json", query, signal });
  return readPage(answer, "aggregates", readAggregateObject);
}

function readAggregateObject(aggregate: AnswerObject): AggregateObject {
  return {
    address: aggregate.text("address"),
    key: aggregate.text("key"),
    content: aggregate.object("content").value,
    created: aggregate.text("created"),
    last_updated: aggregate.text("last_updated"),
  };
}
