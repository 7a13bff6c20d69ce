import { join } from "node:path";
import { verifyData } from "@twentysix/core-node/simulated";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import { type BlobEngine, fileEngine } from "@twentysix/storage";
import { nodeDisk } from "../disk/node-disk.ts";
import type { MachineImage } from "../disk/simulated-disk.ts";
import { SimulationFailure, type World } from "../world/world.ts";

/**
 * `twentysix verify` over what stands on the disk of a node that was ended: everything is computed anew from its messages
 * and compared. The simulation is over by then, so the time of the machine may pass.
 */
export async function assertVerified(
  world: World,
  { peerId, disk, databases }: MachineImage,
  definition: NetworkDefinition,
): Promise<void> {
  const timers = createSystemTimers();
  const random = world.random("verification");
  const { fileSystem } = nodeDisk({ disk, timers, random, dataDir: databases });
  if (fileSystem === undefined) throw new Error("A simulated disk has a file system of its own");
  const engine: BlobEngine = { open: (place) => fileEngine.open({ ...place, fileSystem }) };
  const { ok, problems } = await verifyData({
    databasePath: join(databases, "core", "messages.sqlite"),
    contentsFolder: join(databases, "contents"),
    scratchFolder: world.folder,
    engine,
    definition,
    clock: world.clock,
    timers,
    random,
    log: createMemoryLogger(),
    signal: new AbortController().signal,
  });
  if (!ok) throw new SimulationFailure(`The data of ${peerId} contradict themselves: ${problems.join("; ")}`);
}
