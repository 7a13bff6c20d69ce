import { type ClientRequest, request as httpRequest, type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { limitActivity } from "./activity-limit.ts";
import { deadlinePassed, requestFailure } from "./function-error.ts";
import type { Exchange, ProxyContext } from "./proxy-request.ts";
import { endToEndHeaders } from "./response-headers.ts";

export type UpgradeExchange = Omit<Exchange, "response"> & {
  readonly socket: Duplex;
  /** What came after the request already. */
  readonly head: Buffer;
};

/**
 * Sends a request that wants another protocol (a WebSocket) to a guest, and connects the two when the guest agrees; any
 * other answer is sent on as one. Resolves when it is over.
 *
 * @throws FunctionError when there was no answer; nothing has been sent to the visitor then
 */
export async function proxyUpgrade(exchange: UpgradeExchange, context: ProxyContext): Promise<void> {
  const toGuest = upgradeRequest(exchange, context);
  const { promise, resolve, reject } = Promise.withResolvers<() => Promise<void>>();
  const cancelDeadline = context.timers.schedule(exchange.deadlineMs, () =>
    toGuest.destroy(deadlinePassed()),
  );
  const onLeft = (): void => void toGuest.destroy();
  exchange.socket.once("close", onLeft);
  toGuest.once("upgrade", (answer: IncomingMessage, guestSocket: Duplex, guestHead: Buffer) => {
    resolve(() => join(answer, guestSocket, guestHead, exchange, context));
  });
  toGuest.once("response", (answer: IncomingMessage) => resolve(() => sendPlain(answer, exchange)));
  toGuest.on("error", (error) => reject(requestFailure(error)));
  toGuest.end();
  try {
    const goOn = await promise;
    cancelDeadline();
    await goOn();
  } finally {
    cancelDeadline();
    exchange.socket.off("close", onLeft);
  }
}

function upgradeRequest({ request, suffix }: UpgradeExchange, context: ProxyContext): ClientRequest {
  const headers = [
    ...endToEndHeaders(request, ["expect", "content-length"]),
    ["connection", "Upgrade"],
    ["upgrade", request.headers.upgrade ?? "websocket"],
  ];
  return httpRequest({
    createConnection: context.openConnection,
    method: request.method ?? "GET",
    path: suffix,
    headers: headers.flat(),
    setHost: false,
  });
}

/** Both sides speak with each other until one ends, or neither says anything for too long. */
function join(
  answer: IncomingMessage,
  guestSocket: Duplex,
  guestHead: Buffer,
  { socket, head, addedHeaders, request }: UpgradeExchange,
  { settings, clock, timers }: ProxyContext,
): Promise<void> {
  const headers = [
    ...endToEndHeaders(answer),
    ["connection", "Upgrade"],
    ["upgrade", answer.headers.upgrade ?? request.headers.upgrade ?? "websocket"],
    ...addedHeaders,
  ];
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`, "latin1");
  if (guestHead.length > 0) socket.write(guestHead);
  if (head.length > 0) guestSocket.write(head);
  return new Promise((resolve) => {
    const end = (): void => {
      limit.stop();
      socket.destroy();
      guestSocket.destroy();
      resolve();
    };
    const limit = limitActivity({
      stallMs: settings.stallTimeoutMs,
      totalMs: settings.maxStreamMs,
      clock,
      timers,
      onExceeded: end,
    });
    for (const [from, to] of [
      [socket, guestSocket],
      [guestSocket, socket],
    ] as const) {
      from.on("data", limit.touch);
      from.on("error", end);
      from.on("close", end);
      from.pipe(to);
    }
  });
}

/** The guest does not switch: what it says instead is the answer, and the connection ends with it. */
function sendPlain(
  answer: IncomingMessage,
  { socket, request, addedHeaders }: UpgradeExchange,
): Promise<void> {
  const response = responseOn(request, socket);
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, [
    ...endToEndHeaders(answer).flat(),
    ...addedHeaders.flat(),
  ]);
  return new Promise((resolve) => {
    const end = (): void => {
      answer.destroy();
      resolve();
    };
    response.once("finish", end);
    response.once("close", end);
    answer.once("error", end);
    answer.pipe(response);
  });
}

/** An ordinary answer on a connection that was handed over for another protocol; it is the last one there. */
export function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  // Every stream serves; the type asks for a socket.
  response.assignSocket(socket as Parameters<ServerResponse["assignSocket"]>[0]);
  response.once("finish", () => {
    // Nobody reads it any more: without that its end would never be seen.
    socket.resume();
    socket.end();
  });
  return response;
}
