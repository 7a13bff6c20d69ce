import type { ServerResponse } from "node:http";
import type { Timers } from "@twentysix/platform";
import type { HttpScope, ScopeGuest, ScopeReply } from "../guests/program-guest.ts";
import type { FunctionSettings } from "../settings.ts";
import { bodyLimit, expectBody, tooSlow } from "./body-limit.ts";
import {
  deadlinePassed,
  invalidResponse,
  noResponse,
  programFailed,
  requestFailure,
} from "./function-error.ts";
import type { Exchange } from "./proxy-request.ts";
import { endToEndHeaders } from "./response-headers.ts";

/**
 * Gives a guest of protocol 1.0.0 or 2.0.0 a whole request and sends its whole answer.
 *
 * @throws FunctionError when there was none
 */
export async function scopeRequest(
  exchange: Exchange,
  guest: ScopeGuest,
  { settings, timers }: { readonly settings: FunctionSettings; readonly timers: Pick<Timers, "schedule"> },
): Promise<void> {
  const { response, deadlineMs } = exchange;
  const scope = await readScope(exchange, settings, timers);
  const ending = new AbortController();
  const cancelDeadline = timers.schedule(deadlineMs, () => ending.abort(deadlinePassed()));
  const onLeft = (): void => ending.abort(new Error("the visitor left"));
  response.once("close", onLeft);
  try {
    sendReply(response, await guest.request(scope, ending.signal), exchange);
  } catch (error) {
    throw requestFailure(error);
  } finally {
    cancelDeadline();
    response.off("close", onLeft);
  }
}

async function readScope(
  { request, suffix }: Exchange,
  { maxRequestBytes, bodyTimeoutMs }: FunctionSettings,
  timers: Pick<Timers, "schedule">,
): Promise<HttpScope> {
  const chunks: Buffer[] = [];
  if (expectBody(request, maxRequestBytes)) {
    const body = request.pipe(bodyLimit(maxRequestBytes));
    const cancel = timers.schedule(bodyTimeoutMs, () => body.destroy(tooSlow(bodyTimeoutMs)));
    try {
      for await (const chunk of body) chunks.push(chunk as Buffer);
    } finally {
      cancel();
    }
  }
  const queryAt = suffix.indexOf("?");
  return {
    path: queryAt === -1 ? suffix : suffix.slice(0, queryAt),
    queryString: queryAt === -1 ? "" : suffix.slice(queryAt + 1),
    method: request.method ?? "GET",
    headers: endToEndHeaders(request, ["expect"]),
    body: Buffer.concat(chunks),
  };
}

/** What describes how the guest would have sent it, and what the visitor gets in a form of ours. */
const DROPPED = new Set(["transfer-encoding", "connection", "keep-alive"]);

function sendReply(
  response: ServerResponse,
  reply: ScopeReply,
  { addedHeaders, request, showsTraceback }: Exchange,
): void {
  if (reply.kind === "empty") throw noResponse();
  if (reply.kind === "invalid") throw invalidResponse();
  if (reply.kind === "failed") throw programFailed(showsTraceback ? reply.traceback : null);
  const headers = reply.headers
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !DROPPED.has(name));
  const hasBody = reply.status >= 200 && reply.status !== 204 && reply.status !== 304;
  if (hasBody && !headers.some(([name]) => name === "content-length")) {
    headers.push(["content-length", String(reply.body.length)]);
  }
  try {
    response.writeHead(reply.status, [...headers.flat(), ...addedHeaders.flat()]);
  } catch (error) {
    throw invalidResponse(error);
  }
  response.end(hasBody && request.method !== "HEAD" ? reply.body : undefined);
}
