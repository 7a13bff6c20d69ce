import {
  type Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Clock, Timers } from "@twentysix/platform";
import type { FunctionSettings } from "../settings.ts";
import { limitActivity } from "./activity-limit.ts";
import { bodyLimit, expectBody, tooSlow } from "./body-limit.ts";
import { deadlinePassed, invalidResponse, programFailed, requestFailure } from "./function-error.ts";
import { endToEndHeaders } from "./response-headers.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Path and query inside the program. */
  readonly suffix: string;
  /** Put on every answer of the program. */
  readonly addedHeaders: readonly (readonly [name: string, value: string])[];
  /** For the head of the answer. */
  readonly deadlineMs: number;
  /** Whether the visitor sees why the program failed. */
  readonly showsTraceback: boolean;
}

export interface ProxyContext {
  /** Connections of this guest that are used again. */
  readonly agent: Agent;
  readonly openConnection: () => Duplex;
  readonly settings: FunctionSettings;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "schedule">;
}

/** The guest's own server answered a failure of the program with its traceback as the body. */
const TRACEBACK_HEADER = "aleph-traceback";

/**
 * Sends a request to the HTTP server of a guest and its answer to the visitor, both as they come.
 *
 * @throws FunctionError when there was no answer; nothing has been sent to the visitor then
 */
export async function proxyRequest(exchange: Exchange, context: ProxyContext): Promise<void> {
  const { request, response } = exchange;
  const hasBody = expectBody(request, context.settings.maxRequestBytes);
  const answer = hasBody ? await ask(exchange, context, true) : await askAgain(exchange, context);
  if (response.destroyed) {
    answer.destroy();
    return;
  }
  if (answer.headers[TRACEBACK_HEADER] !== undefined && !exchange.showsTraceback) {
    answer.destroy();
    throw programFailed(null);
  }
  await sendAnswer(answer, exchange, context);
}

/** Answers of 1xx before the one that counts. */
const MAX_ANNOUNCEMENTS = 16;

/** A kept connection can be closed by the guest just as it is used again: then a new one is tried, once. */
async function askAgain(exchange: Exchange, context: ProxyContext): Promise<IncomingMessage> {
  let wasReused = false;
  try {
    return await ask(exchange, context, false, (request) => {
      wasReused = request.reusedSocket;
    });
  } catch (error) {
    if (!wasReused || requestFailure(error).status !== 502 || exchange.response.destroyed) throw error;
    return await ask(exchange, context, true);
  }
}

function ask(
  exchange: Exchange,
  context: ProxyContext,
  isFresh: boolean,
  onFailed: (request: ClientRequest) => void = () => {},
): Promise<IncomingMessage> {
  const { response } = exchange;
  const toGuest = requestTo(exchange, context, isFresh);
  return new Promise((resolve, reject) => {
    const cancelDeadlines = setDeadlines(exchange, context, toGuest);
    const onLeft = (): void => void toGuest.destroy();
    const settle = (): void => {
      cancelDeadlines();
      response.off("close", onLeft);
    };
    response.once("close", onLeft);
    let announcements = 0;
    toGuest.on("information", () => {
      announcements += 1;
      if (announcements > MAX_ANNOUNCEMENTS) toGuest.destroy(invalidResponse());
    });
    toGuest.once("response", (answer) => {
      settle();
      resolve(answer);
    });
    toGuest.on("error", (error) => {
      settle();
      onFailed(toGuest);
      reject(requestFailure(error));
    });
    sendBody(exchange, context, toGuest);
  });
}

/** The program has its time from the end of the request on; how long that takes is the visitor's, unless the guest does not read. */
function setDeadlines(
  { request, deadlineMs }: Exchange,
  { settings, timers }: ProxyContext,
  toGuest: ClientRequest,
): () => void {
  const { bodyTimeoutMs, maxRequestBytes } = settings;
  const giveTime = (): (() => void) => timers.schedule(deadlineMs, () => toGuest.destroy(deadlinePassed()));
  if (!expectBody(request, maxRequestBytes)) return giveTime();
  let cancel = timers.schedule(bodyTimeoutMs, () =>
    toGuest.destroy(toGuest.writableNeedDrain ? deadlinePassed() : tooSlow(bodyTimeoutMs)),
  );
  const onEnd = (): void => {
    cancel();
    cancel = giveTime();
  };
  request.once("end", onEnd);
  return () => {
    request.off("end", onEnd);
    cancel();
  };
}

function requestTo(exchange: Exchange, context: ProxyContext, isFresh: boolean): ClientRequest {
  const { request, suffix } = exchange;
  const headers = endToEndHeaders(request, ["expect"]);
  if (request.headers["transfer-encoding"] !== undefined) headers.push(["transfer-encoding", "chunked"]);
  const connection = isFresh ? { createConnection: context.openConnection } : { agent: context.agent };
  return httpRequest({
    ...connection,
    method: request.method ?? "GET",
    path: suffix,
    headers: headers.flat(),
    setHost: false,
  });
}

function sendBody({ request }: Exchange, { settings }: ProxyContext, toGuest: ClientRequest): void {
  if (!expectBody(request, settings.maxRequestBytes)) {
    toGuest.end();
    return;
  }
  const limit = bodyLimit(settings.maxRequestBytes);
  limit.once("error", (error) => {
    request.unpipe(limit);
    toGuest.destroy(error);
  });
  // A visitor that leaves is noticed by its answer.
  request.pipe(limit).pipe(toGuest);
}

async function sendAnswer(answer: IncomingMessage, exchange: Exchange, context: ProxyContext): Promise<void> {
  const { response, addedHeaders } = exchange;
  const added = addedHeaders.map(([name]) => name.toLowerCase());
  const headers = [...endToEndHeaders(answer, [...added, TRACEBACK_HEADER]), ...addedHeaders];
  try {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers.flat());
  } catch (error) {
    answer.destroy();
    throw invalidResponse(error);
  }
  response.flushHeaders();
  const limit = limitActivity({
    stallMs: context.settings.stallTimeoutMs,
    totalMs: context.settings.maxStreamMs,
    clock: context.clock,
    timers: context.timers,
    onExceeded: () => answer.destroy(new Error("the answer carried nothing for too long, or never ended")),
  });
  answer.on("data", limit.touch);
  try {
    await pipeline(answer, response);
  } finally {
    limit.stop();
  }
}
