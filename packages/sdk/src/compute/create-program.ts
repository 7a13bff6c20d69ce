import type { Connection } from "../connection.ts";
import type { ContentInput } from "../messages/build-message.ts";
import { DEFAULT_CHANNEL } from "../messages/channels.ts";
import { type CreatedMessage, type CreationParameters, createMessage } from "../messages/create-message.ts";

export interface CreateProgramParameters extends CreationParameters {
  /** The content of a PROGRAM message without `address` and `time`. */
  readonly content: ContentInput;
}

/**
 * Publishes a program (function). The channel is the network's own for computing unless another is given.
 *
 * Errors: SDK_INVALID_INPUT and those of `createMessage`.
 *
 * @example
 * const { itemHash } = await createProgram(connection, { account, content: program, sync: true });
 */
export function createProgram(
  connection: Connection,
  { channel = DEFAULT_CHANNEL, ...parameters }: CreateProgramParameters,
): Promise<CreatedMessage> {
  return createMessage(connection, { ...parameters, channel, type: "PROGRAM" });
}
