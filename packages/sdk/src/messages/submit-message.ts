import { stringifyJson } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { readObject } from "../http/answer-json.ts";
import { httpError, readNodeError } from "../http/node-error.ts";
import { type Answer, request } from "../http/request.ts";
import { type MessageStatus, readStatus } from "./message-view.ts";
import { gone, notPublished, REFUSAL_STATUSES, refusal, rejection } from "./refusal.ts";
import type { SignedMessage } from "./signed-message.ts";

export interface SubmitMessageParameters {
  readonly message: SignedMessage;
  /** Wait until the node has processed the message, 30 s at most. False by default. */
  readonly sync?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Submission {
  readonly itemHash: string;
  /** `pending` also when the node did not come to an end in time: see `waitForStatus`. */
  readonly status: Extract<MessageStatus, "pending" | "processed" | "removing">;
  /** `warning`: one of several networks did not take the message. */
  readonly publication: { readonly status: string; readonly failed: readonly string[] };
}

/** How long a node waits for the end of processing before it answers. */
export const SYNC_WAIT_MS = 30_000;

const MISSING_ROUTE = [404, 405];

/**
 * Hands a signed message to the node, which publishes it to its network.
 *
 * Submitting the same message again is harmless. On a node without the submission route (404, 405) the message
 * goes through the publication route of older nodes if the connection knows the `messageTopic`.
 *
 * Errors: SDK_REJECTED, SDK_GONE, SDK_NOT_PUBLISHED, SDK_BAD_ANSWER and those of `request`.
 *
 * @example
 * const { status } = await submitMessage(connection, { message, sync: true });
 */
export async function submitMessage(
  connection: Connection,
  { message, sync = false, timeoutMs, signal }: SubmitMessageParameters,
): Promise<Submission> {
  const answer = await request(connection, {
    method: "POST",
    path: "/api/v0/messages",
    body: stringifyJson({ sync, message: { ...message } }),
    accept: [...MISSING_ROUTE, ...REFUSAL_STATUSES],
    timeoutMs: timeoutMs ?? connection.timeoutMs + (sync ? SYNC_WAIT_MS : 0),
    signal,
  });
  if (MISSING_ROUTE.includes(answer.status)) return publishToTopic(connection, message, answer, signal);
  return readSubmission(connection, message.item_hash, answer, signal);
}

async function readSubmission(
  connection: Connection,
  itemHash: string,
  answer: Answer,
  signal: AbortSignal | undefined,
): Promise<Submission> {
  if (answer.status >= 400) throw await refusal(connection, itemHash, answer, signal);
  const body = readObject(connection, answer);
  const status = readStatus(body, "message_status");
  if (status === "rejected") throw await rejection(connection, itemHash, signal);
  if (status === "forgotten" || status === "removed") throw gone(itemHash, status);
  const publication = body.object("publication_status");
  return {
    itemHash,
    status,
    publication: { status: publication.text("status"), failed: publication.texts("failed") },
  };
}

async function publishToTopic(
  connection: Connection,
  message: SignedMessage,
  answer: Answer,
  signal: AbortSignal | undefined,
): Promise<Submission> {
  if (connection.messageTopic === null) {
    throw httpError(answer.url, answer.status, readNodeError(answer.bytes));
  }
  const published = await request(connection, {
    method: "POST",
    path: "/api/v0/p2p/pubsub/pub",
    body: stringifyJson({ topic: connection.messageTopic, data: stringifyJson({ ...message }) }),
    signal,
  });
  const publication = readObject(connection, published);
  const status = publication.text("status");
  const failed = publication.texts("failed");
  if (status === "error") throw notPublished(message.item_hash, failed);
  return { itemHash: message.item_hash, status: "pending", publication: { status, failed } };
}
