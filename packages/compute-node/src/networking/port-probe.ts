import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** Whether nobody uses a port of this host: it can be bound for TCP and for UDP on every address. */
export type PortProbe = (port: number) => Promise<boolean>;

/** Binds the port for a moment. */
export const isPortFree: PortProbe = async (port) => (await isTcpFree(port)) && (await isUdpFree(port));

async function isTcpFree(port: number): Promise<boolean> {
  const server = createServer();
  const isBound = await bound(server, () => server.listen({ port, host: "0.0.0.0", exclusive: true }));
  if (isBound) await closed((done) => server.close(done));
  return isBound;
}

async function isUdpFree(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  const isBound = await bound(socket, () => socket.bind({ port, address: "0.0.0.0", exclusive: true }));
  await closed((done) => socket.close(done));
  return isBound;
}

/** Codes that say that the port is not ours to take; everything else is a fault of this host. */
const TAKEN = new Set(["EADDRINUSE", "EACCES"]);

async function bound(emitter: NodeJS.EventEmitter, bind: () => void): Promise<boolean> {
  const listening = once(emitter, "listening");
  bind();
  try {
    await listening;
    return true;
  } catch (error) {
    if (TAKEN.has((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

const closed = (close: (done: () => void) => void): Promise<void> => new Promise((resolve) => close(resolve));
