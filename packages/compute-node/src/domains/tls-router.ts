import { connect, createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import type { Logger, Timers } from "@twentysix/platform";
import { MAX_HELLO_BYTES, readClientHello } from "./client-hello.ts";
import type { MachinePorts, PortAddress } from "./machine-ports.ts";

export interface TlsRouterOptions {
  readonly find: (host: string, signal: AbortSignal) => Promise<string | null>;
  readonly ports: MachinePorts;
  readonly timers: Pick<Timers, "withTimeout">;
  readonly log: Logger;
}

const TLS_PORT = 443;
const MAX_CONNECTIONS = 4_096;
const HELLO_MS = 10_000;
const CONNECT_MS = 10_000;
const IDLE_MS = 600_000;

/**
 * TLS by the server's name: connections go unopened to port 443 of the machine that the name stands for, which alone has
 * the key. Others are closed.
 */
export function createTlsRouter(options: TlsRouterOptions): Server {
  const server = createServer({ pauseOnConnect: false }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    pass(socket, options).catch((error: unknown) => {
      options.log.debug("a TLS connection led nowhere", { error });
      socket.destroy();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function pass(socket: Socket, { find, ports, timers, log }: TlsRouterOptions): Promise<void> {
  const { name, hello } = await timers.withTimeout(HELLO_MS, (signal) => helloOf(socket, signal));
  if (name === null) throw new Error("it names no server");
  const left = new AbortController();
  const onClose = (): void => left.abort(new Error("the visitor has left"));
  socket.once("close", onClose);
  const vmHash = await find(name, left.signal);
  socket.off("close", onClose);
  if (vmHash === null) throw new Error(`${name} stands for no machine here`);
  const way = ports(vmHash, TLS_PORT);
  if (typeof way === "string") throw new Error(way);
  const machine = await timers.withTimeout(CONNECT_MS, (signal) => opened(way, signal));
  log.debug("a TLS connection goes to its machine", { name, vmHash });
  machine.setTimeout(IDLE_MS, () => machine.destroy());
  machine.write(hello);
  await Promise.all([pipeline(socket, machine), pipeline(machine, socket)]);
}

/** Reads until the name is known; the socket rests then. */
function helloOf(
  socket: Socket,
  signal: AbortSignal,
): Promise<{ readonly name: string | null; readonly hello: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ name: string | null; hello: Buffer }>();
  let hello = Buffer.alloc(0);
  const onData = (bytes: Buffer): void => {
    hello = Buffer.concat([hello, bytes]);
    const reading = readClientHello(hello);
    if (reading.kind === "hello") resolve({ name: reading.name, hello });
    else if (reading.kind === "other") reject(new Error("it is no TLS"));
    else if (hello.length > 2 * MAX_HELLO_BYTES) reject(new Error("its first message has no end"));
  };
  const onClose = (): void => reject(new Error("it ended before it named a server"));
  const onAbort = (): void => reject(signal.reason);
  socket.on("data", onData);
  socket.once("close", onClose);
  signal.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => {
    socket.off("data", onData);
    socket.off("close", onClose);
    signal.removeEventListener("abort", onAbort);
    socket.pause();
  });
}

async function opened({ host, port }: PortAddress, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port });
  const onAbort = (): void => void socket.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("it did not connect in time")));
    });
    return socket;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
