import type { Connection } from "../connection.ts";
import { findObject } from "../http/answer-json.ts";
import { type MessageView, readMessageView } from "./message-view.ts";

export interface GetMessageParameters {
  readonly itemHash: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the node knows of a message, whatever its status; null when it has never seen it.
 *
 * Errors: SDK_BAD_ANSWER and those of `request` (410 as SDK_HTTP_ERROR: removed, and nothing of it is left).
 *
 * @example
 * const view = await getMessage(connection, { itemHash });
 * if (view?.status === "processed") show(view.message.content);
 */
export async function getMessage(
  connection: Connection,
  { itemHash, signal }: GetMessageParameters,
): Promise<MessageView | null> {
  const path = `/api/v0/messages/${encodeURIComponent(itemHash)}`;
  const answer = await findObject(connection, { path, signal });
  return answer === null ? null : readMessageView(answer);
}
