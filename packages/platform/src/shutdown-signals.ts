import type { EventEmitter } from "node:events";
import type { Clock } from "./clock.ts";

/**
 * One key press reaches a process several times: from the terminal, from npm, and from the launcher, each of
 * which passes it on. Signals this close to the first are that same press, not a second wish.
 */
const SAME_PRESS_MS = 250;

const SHUTDOWN_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type ShutdownSignal = (typeof SHUTDOWN_SIGNALS)[number];

export interface ShutdownHandlers {
  /** The first request to stop: close cleanly. */
  onFirst(signal: ShutdownSignal): void;
  /** Whoever asks twice does not want to wait: leave at once. */
  onSecond(signal: ShutdownSignal): void;
}

/**
 * Listens for requests to stop. Returns the function that stops listening.
 * @param source where signals come from: the process, or an emitter in a test.
 */
export function listenForShutdown(
  handlers: ShutdownHandlers,
  clock: Clock,
  source: Pick<EventEmitter, "on" | "off"> = process,
): () => void {
  let firstAtMs: number | undefined;
  const listener = (signal: ShutdownSignal): void => {
    const nowMs = clock.monotonicMs();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      handlers.onFirst(signal);
    } else if (nowMs - firstAtMs >= SAME_PRESS_MS) {
      handlers.onSecond(signal);
    }
  };
  for (const name of SHUTDOWN_SIGNALS) source.on(name, listener);
  return () => {
    for (const name of SHUTDOWN_SIGNALS) source.off(name, listener);
  };
}
