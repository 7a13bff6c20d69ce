import type { Connection } from "../connection.ts";
import type { ContentInput } from "../messages/build-message.ts";
import { DEFAULT_CHANNEL } from "../messages/channels.ts";
import { type CreatedMessage, type CreationParameters, createMessage } from "../messages/create-message.ts";

export interface CreateInstanceParameters extends CreationParameters {
  /** The content of a INSTANCE message without `address` and `time`. */
  readonly content: ContentInput;
}

/**
 * Publishes an instance (virtual machine). The channel is the network's own for computing unless another is given.
 *
 * Errors: SDK_INVALID_INPUT and those of `createMessage`.
 *
 * @example
 * const { itemHash } = await createInstance(connection, { account, content: instance, sync: true });
 */
export function createInstance(
  connection: Connection,
  { channel = DEFAULT_CHANNEL, ...parameters }: CreateInstanceParameters,
): Promise<CreatedMessage> {
  return createMessage(connection, { ...parameters, channel, type: "INSTANCE" });
}
