import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Logger, Timers } from "@twentysix/platform";
import type { MachinePorts, PortAddress } from "./machine-ports.ts";

export interface HttpRouterOptions {
  readonly find: (host: string, signal: AbortSignal) => Promise<string | null>;
  readonly ports: MachinePorts;
  /** What names that stand for no machine reach: this node itself, and its functions. */
  readonly own: () => PortAddress;
  readonly timers: Pick<Timers, "schedule">;
  readonly log: Logger;
}

const HTTP_PORT = 80;
const MAX_CONNECTIONS = 4_096;
const HEAD_MS = 15_000;
const IDLE_MS = 120_000;
const CONNECT_MS = 10_000;
/** Of one connection alone, as RFC 9110 names them, section 7.6.1. */
const OF_CONNECTION = new Set(["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"]);

/** Where a request goes; a text says why nowhere. */
type Way = PortAddress | string;

/** HTTP by host name: requests for names of instances go to port 80 of their machine, all others to this node. */
export function createHttpRouter(options: HttpRouterOptions): Server {
  const { log } = options;
  const server = createServer({ headersTimeout: HEAD_MS, requestTimeout: 0 });
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_MS;
  server.on("request", (request, response) => {
    pass(request, response, options).catch((error: unknown) => {
      log.debug("a request for a machine was not answered", { error });
      refuse(response, 502, "the machine gave no answer");
    });
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    upgrade(request, socket, head, options).catch((error: unknown) => {
      log.debug("an upgrade for a machine was not answered", { error });
      socket.end("HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n");
    });
  });
  return server;
}

async function wayOf(request: IncomingMessage, options: HttpRouterOptions): Promise<Way> {
  const name = (request.headers.host ?? "").replace(/:\d*$/, "");
  const left = new AbortController();
  const onClose = (): void => left.abort(new Error("the visitor has left"));
  request.socket.once("close", onClose);
  try {
    const vmHash = await options.find(name, left.signal);
    return vmHash === null ? options.own() : options.ports(vmHash, HTTP_PORT);
  } finally {
    request.socket.off("close", onClose);
  }
}

async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpRouterOptions,
): Promise<void> {
  const way = await wayOf(request, options);
  if (typeof way === "string") {
    refuse(response, 503, way);
    return;
  }
  const outgoing = httpRequest({
    ...way,
    agent: false,
    method: request.method ?? "GET",
    path: request.url ?? "/",
    headers: headersOf(request).flat(),
    setHost: false,
    timeout: IDLE_MS,
  });
  const connecting = setDeadline(outgoing, options.timers);
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    response.once("close", () => outgoing.destroy());
  });
  const sent = pipeline(request, outgoing);
  // Its failure is that of the answer.
  sent.catch(() => undefined);
  const answer = await answered.finally(connecting);
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders).flat());
  await pipeline(answer, response);
}

async function upgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: HttpRouterOptions,
): Promise<void> {
  const way = await wayOf(request, options);
  if (typeof way === "string") throw new Error(way);
  const headers = [
    ...headersOf(request),
    ["connection", "Upgrade"],
    ["upgrade", request.headers.upgrade ?? ""],
  ];
  const outgoing = httpRequest({
    ...way,
    agent: false,
    method: request.method ?? "GET",
    path: request.url ?? "/",
    headers: headers.flat(),
    setHost: false,
  });
  const connecting = setDeadline(outgoing, options.timers);
  socket.once("close", () => outgoing.destroy());
  outgoing.end();
  const { answer, other, first } = await new Promise<Agreed>((resolve, reject) => {
    outgoing.once("upgrade", (answer, other, first) => resolve({ answer, other, first }));
    outgoing.once("response", (answer) => reject(new Error(`it answered ${answer.statusCode}`)));
    outgoing.once("error", reject);
  }).finally(connecting);
  const lines = pairsOf(answer.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`);
  socket.write(first);
  other.write(head);
  for (const side of [socket, other] as Socket[]) side.setTimeout?.(0);
  await Promise.all([pipeline(socket, other), pipeline(other, socket)]);
}

interface Agreed {
  readonly answer: IncomingMessage;
  readonly other: Duplex;
  readonly first: Buffer;
}

/** A machine that is not there any more refuses nothing: nobody would ever be told. */
function setDeadline(outgoing: ClientRequest, timers: Pick<Timers, "schedule">): () => void {
  const cancel = timers.schedule(CONNECT_MS, () => outgoing.destroy(new Error("it did not connect in time")));
  outgoing.once("socket", (socket) => socket.once("connect", cancel));
  return cancel;
}

/** As they came, with who asks. */
function headersOf(request: IncomingMessage): (readonly [string, string])[] {
  const from = request.socket.remoteAddress ?? "";
  const known = isIP(from) === 0 ? [] : [["x-forwarded-for", from] as const];
  const others = endToEnd(request.rawHeaders).filter(([name]) => name.toLowerCase() !== "x-forwarded-for");
  return [...others, ...known];
}

function endToEnd(raw: readonly string[]): (readonly [string, string])[] {
  const pairs = pairsOf(raw);
  const named = pairs
    .filter(([name]) => name.toLowerCase() === "connection")
    .flatMap(([, value]) => value.toLowerCase().split(/\s*,\s*/));
  const dropped = new Set([...OF_CONNECTION, ...named]);
  return pairs.filter(([name]) => !dropped.has(name.toLowerCase()));
}

function pairsOf(raw: readonly string[]): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return pairs;
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify({ error: reason });
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
