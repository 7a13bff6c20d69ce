import type { JsonObject } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { type CreatedMessage, type CreationParameters, createMessage } from "../messages/create-message.ts";

export interface CreateAggregateParameters extends CreationParameters {
  readonly key: string;
  /** Each top-level key replaces the earlier value of that key; other keys stay. */
  readonly content: JsonObject;
}

/**
 * Sets keys of an aggregate, the owner's key-value store on the network.
 *
 * Errors: SDK_INVALID_INPUT and those of `createMessage`.
 *
 * @example
 * await createAggregate(connection, { account, key: "profile", content: { nick: "ann" } });
 */
export function createAggregate(
  connection: Connection,
  { key, content, ...parameters }: CreateAggregateParameters,
): Promise<CreatedMessage> {
  return createMessage(connection, { ...parameters, type: "AGGREGATE", content: { key, content } });
}
