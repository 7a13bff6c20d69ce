import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";

/** Longest time until a node has found that it lacks nothing; liars hold it up. */
const READY_MS = 600_000;
const LOOK_EVERY_MS = 500;

/** Lets time pass until a node says that it is ready. @throws SimulationFailure */
export async function untilReady(world: World, machine: Machine): Promise<void> {
  await world.until(`${machine.peerId} is ready`, READY_MS, becomesReady(world, machine));
}

async function becomesReady(world: World, machine: Machine): Promise<void> {
  while ((await machine.readyNode()) === null) await world.timers.sleep(LOOK_EVERY_MS);
}
