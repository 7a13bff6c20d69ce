import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { VSOCK_SOCKETS } from "../../hypervisor/command-line/vsock-sockets.ts";
import { listenUnix } from "../transport/listen-unix.ts";
import { listenForVersion, type VersionListener } from "./version-listener.ts";

/** Of its host, where a guest of the reference greets, and where it finds its API. */
const GREETING_PORT = 52;
const API_PORT = 53;
const MAX_API_CONNECTIONS = 64;

/** Both ports; make them before the guest runs. */
export interface VsockPorts extends Disposable {
  /** @throws TransportError GUEST_PROTOCOL_BROKEN; the signal's reason */
  version(signal: AbortSignal): Promise<string>;
}

/** @param runDir of a machine with a vsock device */
export async function openVsockPorts(
  runDir: string,
  onApiStream: (stream: Socket) => void,
): Promise<VsockPorts> {
  const api = await openApiPort(runDir, onApiStream);
  let greeting: VersionListener;
  try {
    greeting = await listenForVersion(join(runDir, VSOCK_SOCKETS.hostPort(GREETING_PORT)));
  } catch (error) {
    api[Symbol.dispose]();
    throw error;
  }
  return {
    version: (signal) => greeting.version(signal),
    [Symbol.dispose]() {
      greeting[Symbol.dispose]();
      api[Symbol.dispose]();
    },
  };
}

/** The API alone: for a guest that has greeted an earlier run of this node. */
export async function openApiPort(
  runDir: string,
  onApiStream: (stream: Socket) => void,
): Promise<Disposable> {
  const streams = new Set<Socket>();
  const server: Server = createServer((stream) => {
    streams.add(stream);
    stream.on("error", () => {});
    stream.once("close", () => streams.delete(stream));
    onApiStream(stream);
  });
  server.maxConnections = MAX_API_CONNECTIONS;
  await listenUnix(server, join(runDir, VSOCK_SOCKETS.hostPort(API_PORT)));
  return {
    [Symbol.dispose]() {
      server.close();
      for (const stream of streams) stream.destroy();
    },
  };
}
