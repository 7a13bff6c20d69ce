import type { Clock, Timers } from "@twentysix/platform";

export interface ActivityLimitOptions {
  readonly stallMs: number;
  readonly totalMs: number;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "schedule">;
  /** Once, when nothing has moved for too long or it has lasted too long. */
  readonly onExceeded: () => void;
}

/** Ends what carries nothing any more, or never ends. `touch` is cheap: it is called for every piece. */
export function limitActivity(options: ActivityLimitOptions): { touch(): void; stop(): void } {
  const { stallMs, totalMs, clock, timers, onExceeded } = options;
  const startedMs = clock.monotonicMs();
  let touchedMs = startedMs;
  let cancel = (): void => {};
  const check = (): void => {
    const nowMs = clock.monotonicMs();
    const leftMs = Math.min(touchedMs + stallMs - nowMs, startedMs + totalMs - nowMs);
    if (leftMs <= 0) onExceeded();
    else cancel = timers.schedule(leftMs, check);
  };
  cancel = timers.schedule(Math.min(stallMs, totalMs), check);
  return {
    touch: () => {
      touchedMs = clock.monotonicMs();
    },
    stop: () => cancel(),
  };
}
