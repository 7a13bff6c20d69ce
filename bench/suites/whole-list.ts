import type { BenchContext } from "../context.ts";
import type { Figure } from "../figures.ts";
import { startNodeProcess } from "../processes.ts";

/** `pagination=0`: every message in one answer, read to the end. */
export async function wholeList({ dataDir, databaseFlags, messages }: BenchContext): Promise<Figure[]> {
  const node = await startNodeProcess(dataDir, databaseFlags);
  try {
    const startedMs = performance.now();
    const answer = await fetch(`${node.apiUrl}/api/v0/messages.json?pagination=0`);
    let bytes = 0;
    for await (const chunk of answer.body ?? []) bytes += (chunk as Uint8Array).length;
    const seconds = (performance.now() - startedMs) / 1000;
    return [
      {
        name: `every message in one answer, ${Math.round(bytes / 1e6)} MB`,
        value: messages / seconds,
        unit: "messages/s",
      },
      {
        name: "every message in one answer, peak resident memory",
        value: node.usage().peakRssMb,
        unit: "MB",
        target: "<= 400",
      },
    ];
  } finally {
    await node.stop();
  }
}
