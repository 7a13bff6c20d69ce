import { between } from "../random-for.ts";
import { again, type Fault } from "./fault.ts";

/** Loss, delay, doubles and messages that overtake one another: each for a while, on all links. */
export const weather: Fault = (ground) => {
  const { world, random, over } = ground;
  const now = world.links.weather;
  const fair = { ...now };
  again(
    ground,
    () => between(random, 2_000, 15_000),
    () => {
      now.minDelayMs = random.uniform(50);
      now.maxDelayMs = now.minDelayMs + random.uniform(400);
      now.lossPerMille = random.uniform(250);
      now.latePerMille = random.uniform(100);
      now.doublePerMille = random.uniform(100);
      world.trace.add(`weather ${JSON.stringify(now)}`);
    },
  );
  over.addEventListener("abort", () => Object.assign(now, fair), { once: true });
};
