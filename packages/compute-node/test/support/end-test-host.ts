import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import { endHost } from "../../src/helper/end-host.ts";

/** Ends the machines and the helper of a folder, and waits until they are gone: the next test would find their networks. */
export async function endTestHost(dir: string): Promise<void> {
  await endHost(
    dir,
    { timers: createSystemTimers(), log: createMemoryLogger() },
    AbortSignal.timeout(60_000),
  );
}
