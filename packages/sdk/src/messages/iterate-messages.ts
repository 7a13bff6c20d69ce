import type { Connection } from "../connection.ts";
import { getObject } from "../http/answer-json.ts";
import { type IterateParameters, iterateCursor } from "../http/page.ts";
import { type MessageFilter, type MessageListFormat, messageQuery } from "./message-filter.ts";
import { type MessageObject, readMessageObject } from "./message-object.ts";

export interface IterateMessagesParameters
  extends MessageFilter,
    Pick<MessageListFormat, "order" | "contentFormat">,
    IterateParameters {}

/**
 * All messages of a filter, each once, fetched as the consumer goes on. Leave the loop to stop.
 *
 * A message that arrives late with an older `time` is not seen by a cursor that has passed that time.
 *
 * Errors: SDK_INVALID_INPUT, SDK_BAD_ANSWER and those of `request`; the reason of an aborted signal.
 *
 * @example
 * for await (const message of iterateMessages(connection, { types: ["POST"], order: "ascending" })) {
 *   index(message);
 * }
 */
export function iterateMessages(
  connection: Connection,
  parameters: IterateMessagesParameters,
): AsyncGenerator<MessageObject, void, undefined> {
  const { signal } = parameters;
  return iterateCursor(
    parameters,
    "messages",
    (cursor) =>
      getObject(connection, {
        path: "/api/v0/messages.json",
        query: messageQuery(parameters, cursor),
        signal,
      }),
    readMessageObject,
  );
}
