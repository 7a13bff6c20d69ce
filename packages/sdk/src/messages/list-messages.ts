import type { Connection } from "../connection.ts";
import { getObject } from "../http/answer-json.ts";
import { type Page, type PageParameters, pageQuery, readPage } from "../http/page.ts";
import { type MessageFilter, type MessageListFormat, messageQuery } from "./message-filter.ts";
import { type MessageObject, readMessageObject } from "./message-object.ts";

export interface ListMessagesParameters extends MessageFilter, MessageListFormat, PageParameters {}

/**
 * One page of messages, newest first unless told otherwise. To walk through many use `iterateMessages`.
 *
 * Forgotten and removed messages have neither `content` nor `item_content`.
 *
 * Errors: SDK_INVALID_INPUT, SDK_BAD_ANSWER and those of `request`.
 *
 * @example
 * const { items, total } = await listMessages(connection, { types: ["POST"], channels: ["TEST"], pageSize: 50 });
 */
export async function listMessages(
  connection: Connection,
  parameters: ListMessagesParameters,
): Promise<Page<MessageObject>> {
  const query = messageQuery(parameters, pageQuery(parameters));
  const { signal } = parameters;
  const answer = await getObject(connection, { path: "/api/v0/messages.json", query, signal });
  return readPage(answer, "messages", readMessageObject);
}
