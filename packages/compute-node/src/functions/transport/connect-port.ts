import type { Socket } from "node:net";
import type { Timers } from "@twentysix/platform";
import { connectUnix } from "../../hypervisor/qmp/connect-unix.ts";
import { TransportError } from "./errors.ts";

const RETRY_MS = 20;

/**
 * A connection to a unix socket of a machine, tried again while the machine does not listen yet.
 *
 * @throws the signal's reason
 */
export async function connectPort(
  path: string,
  timers: Pick<Timers, "sleep">,
  signal: AbortSignal,
): Promise<Socket> {
  for (;;) {
    signal.throwIfAborted();
    const socket = await tryConnect(path);
    if (socket !== null) {
      if (!signal.aborted) return socket;
      socket.destroy();
    }
    await timers.sleep(RETRY_MS, signal);
  }
}

const NOT_YET = new Set(["ENOENT", "ECONNREFUSED", "EAGAIN"]);

/** null: nobody listens yet. */
async function tryConnect(path: string): Promise<Socket | null> {
  try {
    return await connectUnix(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (NOT_YET.has(code ?? "")) return null;
    throw new TransportError("GUEST_CONNECTION_LOST", `${path}: ${message}`, { cause });
  }
}
