import type { WebSocket } from "@fastify/websocket";
import { isAbortOf } from "@twentysix/platform";
import type { Execution } from "../../executions/execution.ts";
import { assertMayAct } from "../auth/delegation.ts";
import type { Caller } from "../auth/owner-auth.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import type { LogListeners } from "./log-listeners.ts";

/** A client that was let in has so long to say who it is. */
const AUTH_MS = 30_000;
/** Frames that wait for a slow reader before more is read from the log. */
const MAX_BUFFERED_BYTES = 256 * 1_024;
const DRAIN_LOOK_MS = 50;

const STARTING: ReadonlySet<Execution["state"]> = new Set(["defined", "preparing", "prepared", "starting"]);

/** Who follows the log of each machine, and who has not said yet who he is. */
export interface LogSockets {
  readonly listeners: LogListeners;
  readonly newcomers: LogListeners;
}

type LogFrame = { readonly type: "stdout" | "system"; readonly message: string };

/**
 * One websocket: its first message says who it is, then all that the machine has written, and what it writes. Ends when
 * the client leaves, or with the machine.
 */
export async function streamLogs(
  socket: WebSocket,
  vmHash: string,
  services: ControlServices,
  { listeners, newcomers }: LogSockets,
): Promise<void> {
  const closed = new AbortController();
  socket.once("close", () => closed.abort(new Error("the client has gone")));
  socket.on("error", () => socket.terminate());
  const greeted = newcomers.add("", () =>
    socket.close(1013, "too many sockets that do not say who they are"),
  );
  socket.once("close", greeted).once("message", greeted);
  try {
    const execution = await admit(socket, vmHash, services, closed.signal);
    if (execution !== null) await tell(socket, execution, services, listeners, closed.signal);
  } catch (error) {
    if (!isAbortOf(closed.signal, error)) {
      services.log.error("the log of a machine could not be streamed", { vmHash, error });
    }
  } finally {
    socket.close(1000);
  }
}

/** null: refused, and told so. */
async function admit(
  socket: WebSocket,
  vmHash: string,
  services: ControlServices,
  signal: AbortSignal,
): Promise<Execution | null> {
  const { ownerAuth, executions, coreNodes, timers } = services;
  try {
    const text = await timers.withTimeout(AUTH_MS, (bounded) => firstMessage(socket, bounded), signal);
    const caller: Caller = ownerAuth.authenticateMessage(text);
    const execution = executions.get(vmHash);
    if (execution === null) throw new ControlError(404, `No virtual machine with ref ${vmHash}`);
    await assertMayAct(caller, execution.owner, execution.kind, coreNodes, signal);
    send(socket, { status: "connected" });
    return execution;
  } catch (error) {
    if (isAbortOf(signal, error)) throw error;
    const isUnauthorised = error instanceof ControlError && error.status === 403;
    const reason = isUnauthorised ? "unauthorized sender" : textOf(error);
    send(socket, { status: "failed", reason });
    return null;
  }
}

async function tell(
  socket: WebSocket,
  { vmHash, state }: Execution,
  services: ControlServices,
  listeners: LogListeners,
  signal: AbortSignal,
): Promise<void> {
  const { logs, executions } = services;
  if (STARTING.has(state)) {
    send(socket, { type: "system", message: "VM is starting, try again shortly" });
    return;
  }
  const isRunning = (): boolean => executions.get(vmHash)?.state === "running";
  const remove = listeners.add(vmHash, () => socket.close(1008, "too many listeners"));
  try {
    const follow = isRunning() ? { goesOn: isRunning, signal } : null;
    for await (const { text } of logs.lines(vmHash, follow)) await sendLine(socket, text, services, signal);
    if (follow !== null) return;
    send(socket, { type: "system", message: "VM is not running, past logs sent" });
  } finally {
    remove();
  }
}

/** Waits for a reader that is slower than the machine. */
async function sendLine(
  socket: WebSocket,
  message: string,
  { timers }: ControlServices,
  signal: AbortSignal,
): Promise<void> {
  while (socket.bufferedAmount > MAX_BUFFERED_BYTES) await timers.sleep(DRAIN_LOOK_MS, signal);
  signal.throwIfAborted();
  send(socket, { type: "stdout", message } satisfies LogFrame);
}

function send(socket: WebSocket, frame: object): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
}

function firstMessage(socket: WebSocket, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    socket.once("message", (data) => resolve(data.toString()));
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
