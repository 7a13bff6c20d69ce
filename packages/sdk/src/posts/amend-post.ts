import type { JsonValue } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { invalidInput } from "../errors.ts";
import { type CreatedMessage, type CreationParameters, createMessage } from "../messages/create-message.ts";

export interface AmendPostParameters extends CreationParameters {
  /** Item hash of the original post, never of another amend. */
  readonly originalHash: string;
  /** Replaces the whole content. */
  readonly content: JsonValue;
}

/**
 * Replaces the content of a post. The newest amend wins, by the time of its content.
 *
 * Errors: SDK_INVALID_INPUT and those of `createMessage`.
 *
 * @example
 * await amendPost(connection, { account, originalHash: post.original_item_hash, content: { body: "better" } });
 */
export async function amendPost(
  connection: Connection,
  { originalHash, content, ...parameters }: AmendPostParameters,
): Promise<CreatedMessage> {
  if (originalHash === "") throw invalidInput("originalHash", "an amend needs the hash of the original post");
  return createMessage(connection, {
    ...parameters,
    type: "POST",
    content: { type: "amend", content, ref: originalHash },
  });
}
