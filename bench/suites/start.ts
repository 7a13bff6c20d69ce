import { setTimeout as delay } from "node:timers/promises";
import type { BenchContext } from "../context.ts";
import { type Figure, quantile } from "../figures.ts";
import { rssMb, startNodeProcess } from "../processes.ts";

const STARTS = 5;
/** Threads without work have ended by then. */
const IDLE_MS = 60_000;

/** From the start of the process to the line that says it is ready; then how much memory it takes doing nothing. */
export async function start({ dataDir, databaseFlags, messages, say }: BenchContext): Promise<Figure[]> {
  const readyMs: number[] = [];
  let idleMb = 0;
  for (let round = 0; round < STARTS; round += 1) {
    const node = await startNodeProcess(dataDir, databaseFlags);
    readyMs.push(node.readyMs);
    if (round === STARTS - 1) {
      say(`idle for ${IDLE_MS / 1000} s`);
      await delay(IDLE_MS);
      idleMb = rssMb(node.pid);
    }
    await node.stop();
  }
  return [
    {
      name: `process start to ready, ${messages} messages stored`,
      value: quantile(readyMs, 0.5),
      unit: "ms",
      target: "<= 1500",
      remark: `median of ${STARTS}`,
    },
    { name: "resident memory, idle", value: idleMb, unit: "MB", target: "<= 200" },
  ];
}
