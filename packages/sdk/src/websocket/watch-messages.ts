import { isJsonObject } from "@twentysix/protocol";
import { backOffDelayMs } from "../back-off.ts";
import type { Connection } from "../connection.ts";
import { invalidInput, isSdkError, SdkError } from "../errors.ts";
import { AnswerObject, badAnswer, readJsonText } from "../http/answer-json.ts";
import { iterateMessages } from "../messages/iterate-messages.ts";
import { type MessageFilter, messageQuery } from "../messages/message-filter.ts";
import { type MessageObject, readMessageObject } from "../messages/message-object.ts";
import { sleep } from "../wait.ts";
import { RecentHashes } from "./recent-hashes.ts";
import { type OpenWebSocket, openWebSocket, type WebSocketEnd } from "./web-socket-frames.ts";

export interface WatchMessagesParameters extends MessageFilter {
  readonly contentFormat?: "full" | "none" | undefined;
  /** Stored messages given first, oldest first: 0 to 199; 0 by default. */
  readonly history?: number | undefined;
  /**
   * Connections in a row that fail, or are lost within a minute without a message, before giving up; 20 by default.
   */
  readonly maxAttempts?: number | undefined;
  /** Messages that may wait for the consumer; 10 000 by default. */
  readonly maxBuffered?: number | undefined;
  /** The first connection is open: what is processed from now on is given. */
  readonly onOpen?: (() => void) | undefined;
  /** Told whenever a connection was opened (true), and when that one is lost (false). */
  readonly onConnection?: ((isOpen: boolean) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const BACK_OFF = { initialMs: 100, maxMs: 30_000 };
const RECENT_HASHES = 10_000;
/** A connection that lasted so long was a good one, even if there was nothing to tell. */
const GOOD_CONNECTION_MICROS = 60_000_000n;
/** How far before a lost connection is looked again: clocks differ, and a loss is noticed late. */
const OVERLAP_MICROS = 300_000_000n;

/**
 * Messages as the node processes them, each once, for as long as the consumer goes on.
 *
 * A lost connection is opened again, with growing delays, and what was processed meanwhile is fetched, as far as
 * the envelope `time` of the messages is not before the loss (by more than five minutes) or before the watch
 * began. Leave the loop or abort the signal to stop.
 *
 * Errors: SDK_CONNECTION_LOST, SDK_SLOW_CONSUMER, SDK_BAD_ANSWER, SDK_INVALID_INPUT, those of
 * `iterateMessages`; the reason of an aborted signal.
 *
 * @example
 * for await (const message of watchMessages(connection, { types: ["POST"], channels: ["TEST"], signal })) {
 *   show(message);
 * }
 */
export async function* watchMessages(
  connection: Connection,
  parameters: WatchMessagesParameters,
): AsyncGenerator<MessageObject, void, undefined> {
  const { runtime } = connection;
  const { maxAttempts = 20, signal } = parameters;
  checkHistory(parameters);
  const seen = new RecentHashes(RECENT_HASHES);
  let began: bigint | null = null;
  let lost: bigint | null = null;
  for (let attempts = 1; ; attempts += 1) {
    const openedMicros = runtime.nowMicros();
    const socket = open(connection, parameters, began === null);
    let isOpen = false;
    try {
      isOpen = await socket.opened;
      if (isOpen) {
        parameters.onConnection?.(true);
        if (began === null) parameters.onOpen?.();
        began ??= openedMicros;
        if (lost !== null) yield* missed(connection, parameters, catchUpMicros(began, lost), seen);
        lost = null;
      }
      const end = yield* live(connection, socket, seen);
      const nowMicros = runtime.nowMicros();
      if (began !== null) lost ??= nowMicros;
      if (end.hadFrames || nowMicros - openedMicros >= GOOD_CONNECTION_MICROS) attempts = 0;
      if (attempts >= maxAttempts) throw connectionLost(end, attempts);
    } catch (error) {
      // What was missed could not be fetched just now: the next connection tries again.
      if (attempts >= maxAttempts || !isPassing(error)) throw error;
    } finally {
      if (isOpen) parameters.onConnection?.(false);
      socket.close();
    }
    await sleep(runtime, backOffDelayMs(runtime, BACK_OFF, attempts), signal);
  }
}

function checkHistory({ history = 0 }: WatchMessagesParameters): void {
  if (Number.isInteger(history) && history >= 0 && history < 200) return;
  throw invalidInput("history", `history is ${history}; nodes give 0 to 199 stored messages`);
}

function open(connection: Connection, parameters: WatchMessagesParameters, isFirst: boolean): OpenWebSocket {
  const { history = 0, maxBuffered = 10_000, signal } = parameters;
  return openWebSocket(connection, {
    path: "/api/ws0/messages",
    query: messageQuery(parameters, { history: isFirst ? history : 0 }),
    maxBuffered,
    openTimeoutMs: connection.timeoutMs,
    signal,
  });
}

async function* live(
  connection: Connection,
  { url, frames }: OpenWebSocket,
  seen: RecentHashes,
): AsyncGenerator<MessageObject, WebSocketEnd, undefined> {
  for (;;) {
    const next = await frames.next();
    if (next.done) return next.value;
    const message = readFrame(connection, url, next.value);
    if (seen.add(message.item_hash)) yield message;
  }
}

async function* missed(
  connection: Connection,
  parameters: WatchMessagesParameters,
  fromMicros: bigint,
  seen: RecentHashes,
): AsyncGenerator<MessageObject, void, undefined> {
  const startTimeSeconds = Math.max(Number(fromMicros) / 1e6, parameters.startTimeSeconds ?? 0);
  const filter = { ...parameters, startTimeSeconds, order: "ascending" } as const;
  for await (const message of iterateMessages(connection, filter)) {
    if (seen.add(message.item_hash)) yield message;
  }
}

function catchUpMicros(began: bigint, lost: bigint): bigint {
  const from = lost - OVERLAP_MICROS;
  return from > began ? from : began;
}

function isPassing(error: unknown): boolean {
  if (isSdkError(error, "SDK_NETWORK_ERROR") || isSdkError(error, "SDK_TIMEOUT")) return true;
  return isSdkError(error, "SDK_HTTP_ERROR") && (error.details.status >= 500 || error.details.status === 429);
}

function readFrame(connection: Connection, url: string, data: unknown): MessageObject {
  if (typeof data !== "string") throw badAnswer(url, "a frame is not text");
  const value = readJsonText(data, url, connection.numbers);
  if (!isJsonObject(value)) throw badAnswer(url, "a frame is not a JSON object");
  return readMessageObject(new AnswerObject(value, url));
}

function connectionLost({ url, closeCode }: WebSocketEnd, attempts: number): SdkError<"SDK_CONNECTION_LOST"> {
  const message = `${url} failed ${attempts} times in a row; ask another node`;
  return new SdkError("SDK_CONNECTION_LOST", message, { url, attempts, closeCode });
}
