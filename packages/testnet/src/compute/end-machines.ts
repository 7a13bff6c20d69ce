import { join } from "node:path";
import { endHost } from "@twentysix/compute-node";
import { createMemoryLogger, type Timers } from "@twentysix/platform";
import { computeName } from "./compute-processes.ts";

const END_MS = 30_000;

/** Ends what runs of machines of this network, and the helpers that would start it no more. */
export async function endMachines(
  { dataDir, timers }: { readonly dataDir: string; readonly timers: Timers },
  computeNodes: number,
): Promise<void> {
  const signal = AbortSignal.timeout(END_MS);
  const names = Array.from({ length: computeNodes }, (_, index) => computeName(index));
  const log = createMemoryLogger();
  await Promise.all(names.map((name) => endHost(join(dataDir, name, "compute"), { timers, log }, signal)));
}
