import type { Connection } from "../connection.ts";
import { findObject } from "../http/answer-json.ts";
import type { GetMessageParameters } from "./get-message.ts";
import { type MessageStatus, readStatus } from "./message-view.ts";

export interface StatusView {
  readonly status: MessageStatus;
  readonly itemHash: string;
  /** ISO 8601, UTC: when this node first saw the message. */
  readonly receptionTime: string | null;
}

/**
 * The status of a message, the cheapest question to a node; null when it has never seen it.
 *
 * Errors: SDK_BAD_ANSWER and those of `request`.
 *
 * @example
 * const status = (await getStatus(connection, { itemHash }))?.status;
 */
export async function getStatus(
  connection: Connection,
  { itemHash, signal }: GetMessageParameters,
): Promise<StatusView | null> {
  const path = `/api/v0/messages/${encodeURIComponent(itemHash)}/status`;
  const answer = await findObject(connection, { path, signal });
  if (answer === null) return null;
  return {
    status: readStatus(answer, "status"),
    itemHash: answer.text("item_hash"),
    receptionTime: answer.textOrNull("reception_time"),
  };
}
