import { createTimers, type Timers } from "@twentysix/platform";

/** Timers of one process, which end with it. */
export interface OwnTimers {
  readonly timers: Timers;
  readonly isEnded: boolean;
  /** None fires any more: the process is gone. */
  end(): void;
}

export function ownTimers(world: Timers): OwnTimers {
  let isEnded = false;
  return {
    timers: createTimers((delayMs, callback) =>
      world.schedule(delayMs, () => {
        if (!isEnded) callback();
      }),
    ),
    get isEnded() {
      return isEnded;
    },
    end: () => {
      isEnded = true;
    },
  };
}
