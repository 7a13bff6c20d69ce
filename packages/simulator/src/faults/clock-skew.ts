import { pick } from "@twentysix/platform";
import { between } from "../random-for.ts";
import { again, type Fault } from "./fault.ts";

const MAX_SKEW_MS = 300_000;

/** Clocks that are wrong, and are set. */
export const clockSkew: Fault = (ground) => {
  const { world, machines, random, over } = ground;
  again(
    ground,
    () => between(random, 2_000, 20_000),
    () => {
      const machine = pick(random, machines);
      if (machine === undefined) return;
      machine.clock.skewMs = random.uniform(2 * MAX_SKEW_MS) - MAX_SKEW_MS;
      world.trace.add(`the clock of ${machine.peerId} is wrong by ${machine.clock.skewMs} ms`);
    },
  );
  over.addEventListener(
    "abort",
    () => {
      for (const machine of machines) machine.clock.skewMs = 0;
    },
    { once: true },
  );
};
