import type { Machine } from "../world/machine.ts";
import { SimulationFailure, type World } from "../world/world.ts";

const LOOK_EVERY_MS = 5_000;
const ROOT_TIMEOUT_MS = 30_000;

/** Lets time pass until all nodes have one state root; how long it took. @throws SimulationFailure */
export async function converge(world: World, machines: readonly Machine[], maxMs: number): Promise<number> {
  const startMs = world.clock.monotonicMs();
  for (;;) {
    const roots = await rootsOf(world, machines);
    const tookMs = world.clock.monotonicMs() - startMs;
    if (new Set(roots.values()).size === 1) return tookMs;
    if (tookMs >= maxMs) {
      const told = [...roots].map(([peerId, root]) => `${peerId} ${root}`).join("; ");
      throw new SimulationFailure(`The state roots differ after ${tookMs} ms without faults: ${told}`);
    }
    await world.pass(LOOK_EVERY_MS);
  }
}

/** The root and the count of each node. */
export async function rootsOf(
  world: World,
  machines: readonly Machine[],
): Promise<ReadonlyMap<string, string>> {
  const roots = new Map<string, string>();
  for (const machine of machines) {
    const { pipeline } = await world.until(`${machine.peerId} runs`, ROOT_TIMEOUT_MS, machine.node());
    const asked = pipeline.stateRoot();
    const { root, count } = await world.until(`the root of ${machine.peerId}`, ROOT_TIMEOUT_MS, asked);
    roots.set(machine.peerId, `${root.slice(0, 16)} of ${count}`);
  }
  return roots;
}
