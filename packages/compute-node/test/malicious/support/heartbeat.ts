import type { Visit } from "../../support/target-node.ts";

export interface HeartbeatRecord {
  readonly count: number;
  readonly failures: readonly string[];
  readonly slowestMs: number;
}

export interface Heartbeat {
  /** What became of all visits; the same when asked again. */
  stop(): HeartbeatRecord;
}

const PAUSE_MS = 250;

/** Visits a program again and again, as somebody would who relies on it. */
export function startHeartbeat(visit: () => Promise<Visit>): Heartbeat {
  const failures: string[] = [];
  let [count, slowestMs, isOver] = [0, 0, false];
  let timer: NodeJS.Timeout | undefined;
  const beat = async (): Promise<void> => {
    try {
      const { status, text, tookMs } = await visit();
      count += 1;
      slowestMs = Math.max(slowestMs, tookMs);
      if (status !== 200) failures.push(`${status} ${text}`);
    } catch (error) {
      if (!isOver) failures.push(String(error));
    }
    if (!isOver) timer = setTimeout(() => void beat(), PAUSE_MS);
  };
  void beat();
  return {
    stop() {
      isOver = true;
      clearTimeout(timer);
      return { count, failures, slowestMs };
    },
  };
}
