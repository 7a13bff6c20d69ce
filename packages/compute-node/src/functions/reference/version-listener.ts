import { createServer, type Server, type Socket } from "node:net";
import { onAbort } from "@twentysix/platform";
import { listenUnix } from "../transport/listen-unix.ts";
import { readAll } from "../transport/read-all.ts";
import { unpackObject } from "./message-pack.ts";

/** Of the runtime protocol. Those of the first one say nothing. */
export const FIRST_VERSION = "1.0.0";
const MAX_GREETING_BYTES = 4_096;

/**
 * Waits for the greeting of a guest of the reference: it connects to port 52 of its host once it listens itself, and says
 * which protocol it speaks. Begin before the machine starts.
 *
 * @param socketPath where the hypervisor brings connections to that port: `PATH_52`
 */
export async function listenForVersion(socketPath: string): Promise<VersionListener> {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const server = createServer((socket) => resolve(socket));
  server.maxConnections = 4;
  await listenUnix(server, socketPath);
  return {
    version: (signal) => versionFrom(promise, server, signal),
    [Symbol.dispose]: () => void server.close(),
  };
}

export interface VersionListener extends Disposable {
  /** @throws TransportError GUEST_PROTOCOL_BROKEN; the signal's reason */
  version(signal: AbortSignal): Promise<string>;
}

async function versionFrom(greeting: Promise<Socket>, server: Server, signal: AbortSignal): Promise<string> {
  const aborted = new Promise<never>((_, reject) => onAbort(signal, reject));
  const socket = await Promise.race([greeting, aborted]);
  socket.on("error", () => {});
  try {
    const bytes = await readAll(socket, MAX_GREETING_BYTES, signal);
    if (bytes.length === 0) return FIRST_VERSION;
    const { version } = unpackObject(bytes);
    return typeof version === "string" ? version : FIRST_VERSION;
  } finally {
    socket.destroy();
    server.close();
  }
}
