import type { Socket } from "node:net";
import type { Timers } from "@twentysix/platform";
import { connectPort } from "../transport/connect-port.ts";
import { TransportError } from "../transport/errors.ts";

/** `OK 1073741824\n` and not much more: the hypervisor's word that the guest's port is open. */
const MAX_LINE_BYTES = 64;

/**
 * A connection to a port of a guest, through the socket that its hypervisor has for all of them: one says `CONNECT PORT`,
 * and it answers `OK NUMBER` once the guest has accepted. Source: Firecracker `docs/vsock.md`.
 *
 * Nothing may be said before that answer: the device of rust-vmm (0.3) does not pass on what comes with the request.
 *
 * @throws TransportError GUEST_CONNECTION_LOST, GUEST_PROTOCOL_BROKEN; the signal's reason
 */
export async function connectVsock(
  socketPath: string,
  port: number,
  timers: Pick<Timers, "sleep">,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = await connectPort(socketPath, timers, signal);
  socket.on("error", () => {});
  const onAbort = (): void => void socket.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    socket.write(`CONNECT ${port}\n`);
    const line = await readLine(socket);
    if (!/^OK \d+$/.test(line)) {
      throw new TransportError("GUEST_PROTOCOL_BROKEN", `the hypervisor answered ${JSON.stringify(line)}`);
    }
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The first line; what follows stays in the socket. */
function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = Buffer.alloc(0);
    const done = (): void => {
      socket.off("readable", onReadable);
      socket.off("close", onClose);
    };
    const fail = (error: TransportError): void => {
      done();
      reject(error);
    };
    const onReadable = (): void => {
      for (let byte: Buffer | null = socket.read(1); byte !== null; byte = socket.read(1)) {
        if (byte[0] === 10) {
          done();
          resolve(line.toString("latin1"));
          return;
        }
        line = Buffer.concat([line, byte]);
        if (line.length <= MAX_LINE_BYTES) continue;
        fail(new TransportError("GUEST_PROTOCOL_BROKEN", "the hypervisor's answer has no end"));
        return;
      }
    };
    const onClose = (): void => {
      fail(new TransportError("GUEST_CONNECTION_LOST", "the guest does not listen on its port"));
    };
    socket.on("readable", onReadable);
    socket.once("close", onClose);
  });
}
