import { backOffDelayMs } from "../back-off.ts";
import type { Connection } from "../connection.ts";
import type { Runtime } from "../runtime.ts";
import { sleep, withDeadline } from "../wait.ts";
import { openWebSocket } from "../websocket/web-socket-frames.ts";
import { getMessage } from "./get-message.ts";
import { getStatus } from "./get-status.ts";
import { messageQuery } from "./message-filter.ts";
import type { MessageStatus, MessageView } from "./message-view.ts";
import { gone, rejected } from "./refusal.ts";

export interface WaitForStatusParameters {
  readonly itemHash: string;
  /** Any of these ends the wait; `processed` and `removing` by default: the message is in force. */
  readonly statuses?: readonly MessageStatus[] | undefined;
  /** Two minutes by default. Nodes retry for up to a quarter of an hour what needs something still missing. */
  readonly timeoutMs?: number | undefined;
  /** Also listen on the websocket, which tells of processed messages at once. False by default. */
  readonly useWebSocket?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const BACK_OFF = { initialMs: 100, maxMs: 5000 };
const IN_FORCE: readonly MessageStatus[] = ["processed", "removing"];

/**
 * Waits until the node gives the message one of the wanted statuses, and returns what it knows of it.
 *
 * A hash that the node does not know yet counts as pending. The status is asked for with growing delays; with
 * `useWebSocket` a frame cuts the delay short, and the loss of the socket only costs that advantage.
 *
 * Errors: SDK_REJECTED and SDK_GONE when the message ended otherwise, SDK_TIMEOUT, those of `getMessage`; the
 * reason of an aborted signal.
 *
 * @example
 * const { itemHash } = await createPost(connection, { account, type: "note", content: { body: "hi" } });
 * await waitForStatus(connection, { itemHash, timeoutMs: 60_000 });
 */
export function waitForStatus(
  connection: Connection,
  {
    itemHash,
    statuses = IN_FORCE,
    timeoutMs = 120_000,
    useWebSocket = false,
    signal,
  }: WaitForStatusParameters,
): Promise<MessageView> {
  const operation = `waiting for message ${itemHash} to be ${statuses.join(" or ")}`;
  return withDeadline(connection.runtime, { operation, timeoutMs, signal }, async (deadline) => {
    const bell = useWebSocket ? openBell(connection, itemHash, deadline) : null;
    try {
      for (let attempt = 0; ; attempt += 1) {
        const view = await outcome(connection, itemHash, statuses, deadline);
        if (view !== null) return view;
        const delayMs = backOffDelayMs(connection.runtime, BACK_OFF, attempt);
        await pause(connection.runtime, delayMs, deadline, bell);
      }
    } finally {
      bell?.close();
    }
  });
}

async function outcome(
  connection: Connection,
  itemHash: string,
  statuses: readonly MessageStatus[],
  signal: AbortSignal,
): Promise<MessageView | null> {
  const known = await getStatus(connection, { itemHash, signal });
  if (known === null || (known.status === "pending" && !statuses.includes("pending"))) return null;
  const view = await getMessage(connection, { itemHash, signal });
  if (view === null) return null;
  if (statuses.includes(view.status)) return view;
  if (view.status === "rejected") throw rejected(itemHash, view.errorCode, view.details);
  if (view.status === "forgotten" || view.status === "removed") throw gone(itemHash, view.status);
  return null;
}

/** Rings once, when the websocket tells that the message was processed. */
interface Bell {
  readonly signal: AbortSignal;
  close(): void;
}

function openBell(connection: Connection, itemHash: string, deadline: AbortSignal): Bell {
  const controller = new AbortController();
  const { frames, close } = openWebSocket(connection, {
    path: "/api/ws0/messages",
    query: messageQuery({ itemHashes: [itemHash] }, { history: 1 }),
    maxBuffered: 1,
    openTimeoutMs: connection.timeoutMs,
    signal: deadline,
  });
  // Whatever ends the socket: asking for the status goes on, and tells every failure of the node.
  const ring = (): void => controller.abort();
  frames.next().then(
    ({ done }) => (done ? undefined : ring()),
    () => {},
  );
  return { signal: controller.signal, close };
}

/** Sleeps, shorter when the bell rings meanwhile. A bell that has rung is spent. */
function pause(runtime: Runtime, delayMs: number, deadline: AbortSignal, bell: Bell | null): Promise<void> {
  if (bell === null || bell.signal.aborted) return sleep(runtime, delayMs, deadline);
  const either = AbortSignal.any([deadline, bell.signal]);
  return sleep(runtime, delayMs, either).catch((reason: unknown) => {
    if (deadline.aborted || !bell.signal.aborted) throw reason;
  });
}
