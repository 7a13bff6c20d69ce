import type { JsonValue } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { invalidInput } from "../errors.ts";
import { type CreatedMessage, type CreationParameters, createMessage } from "../messages/create-message.ts";

export interface CreatePostParameters extends CreationParameters {
  /** Any text but `amend`. */
  readonly type: string;
  readonly content: JsonValue;
  /** What the post is about: an item hash or any other text. */
  readonly ref?: string | undefined;
}

/**
 * Publishes a post.
 *
 * Errors: SDK_INVALID_INPUT and those of `createMessage`.
 *
 * @example
 * const { itemHash } = await createPost(connection, {
 *   account, type: "note", content: { body: "hi", tags: ["demo"] }, channel: "TEST", sync: true,
 * });
 */
export async function createPost(
  connection: Connection,
  { type, content, ref, ...parameters }: CreatePostParameters,
): Promise<CreatedMessage> {
  if (type === "amend") throw invalidInput("type", 'the type "amend" changes another post; use amendPost');
  return createMessage(connection, { ...parameters, type: "POST", content: { type, content, ref } });
}
