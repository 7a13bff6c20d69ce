import type { Random } from "@twentysix/platform";
import type { Machine } from "../world/machine.ts";
import type { World } from "../world/world.ts";

/** What a fault may do its work on. */
export interface Ground {
  readonly world: World;
  readonly machines: readonly Machine[];
  readonly random: Random;
  /** Aborts when the storm is over; faults have to make good what they broke then. */
  readonly over: AbortSignal;
}

/** Does harm, again and again, until the storm is over. Returns at once. */
export type Fault = (ground: Ground) => void;

/** Runs `harm` again and again, with pauses of chance between. */
export function again({ world, over }: Ground, pauseMs: () => number, harm: () => void): void {
  const next = (): void => {
    if (over.aborted) return;
    harm();
    world.timers.schedule(pauseMs(), next);
  };
  world.timers.schedule(pauseMs(), next);
}
