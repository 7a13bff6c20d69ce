import type { Machine } from "../world/machine.ts";
import { SimulationFailure } from "../world/world.ts";

/** No copy, whoever sent it, made the rules of a node throw. */
export async function assertNoDefects(machines: readonly Machine[]): Promise<void> {
  for (const machine of machines) {
    const { defectsTotal } = (await machine.node()).pipeline.statistics();
    if (defectsTotal > 0)
      throw new SimulationFailure(`${machine.peerId} set ${defectsTotal} copies aside as defects`);
  }
}
