import { pick } from "@twentysix/platform";
import { between, happens } from "../random-for.ts";
import type { Crash } from "../world/machine.ts";
import { again, type Fault } from "./fault.ts";

export interface CrashOptions {
  /** Losses of a disk, of a thousand crashes. */
  readonly diskPerMille: number;
  readonly maxDiskLosses: number;
  /** Machines that may be down at once. */
  readonly maxDown: number;
  readonly onCrash: (peerId: string, kind: Crash) => void;
}

/** Ends nodes without a word, and starts them again, sometimes on a new disk. */
export function crashes({ diskPerMille, maxDiskLosses, maxDown, onCrash }: CrashOptions): Fault {
  return (ground) => {
    const { world, machines, random, over } = ground;
    let diskLosses = 0;
    again(
      ground,
      () => between(random, 300, 6_000),
      () => {
        if (machines.filter(({ isRunning }) => !isRunning).length >= maxDown) return;
        const machine = pick(
          random,
          machines.filter(({ isRunning }) => isRunning),
        );
        if (machine === undefined) return;
        const kind =
          diskLosses < maxDiskLosses && happens(random, diskPerMille)
            ? "disk"
            : happens(random, 500)
              ? "power"
              : "process";
        if (kind === "disk") diskLosses += 1;
        machine.crash(kind);
        onCrash(machine.peerId, kind);
        world.timers.schedule(between(random, 200, 15_000), () => machine.start());
      },
    );
    const startAll = (): void => {
      for (const machine of machines) machine.start();
    };
    over.addEventListener("abort", startAll, { once: true });
  };
}
