import { shuffled } from "@twentysix/platform";
import { between } from "../random-for.ts";
import { again, type Fault } from "./fault.ts";

/** Cuts some machines off from all others for a while. */
export const partitions: Fault = (ground) => {
  const { world, machines, random, over } = ground;
  again(
    ground,
    () => between(random, 3_000, 20_000),
    () => {
      const mixed = shuffled(random, machines);
      const apart = mixed.slice(0, 1 + random.uniform(Math.ceil(machines.length / 2)));
      const rest = mixed.slice(apart.length);
      world.trace.add(`cut off: ${apart.map(({ peerId }) => peerId).join(" ")}`);
      const heals = apart.flatMap((one) => rest.map((other) => world.network.cut(one.peerId, other.peerId)));
      const heal = (): void => {
        for (const end of heals) end();
      };
      world.timers.schedule(between(random, 1_000, 40_000), heal);
      over.addEventListener("abort", heal, { once: true });
    },
  );
};
