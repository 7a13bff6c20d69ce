import type { BenchContext } from "../context.ts";
import { type Figure, quantile } from "../figures.ts";
import { startNodeProcess } from "../processes.ts";
import { filterMatrix } from "./filters.ts";

const ROUNDS = 30;

/** The first page with its total, for each filter: a total that scanned would show here. */
export async function counts({ dataDir, databaseFlags }: BenchContext): Promise<Figure[]> {
  const node = await startNodeProcess(dataDir, databaseFlags);
  try {
    const figures: Figure[] = [];
    for (const { name, path, query } of filterMatrix()) {
      const latenciesMs: number[] = [];
      let total: unknown;
      for (let round = 0; round < ROUNDS; round += 1) {
        const startedMs = performance.now();
        const answer = await fetch(`${node.apiUrl}${path}?${query}&pagination=20`);
        const body = (await answer.json()) as { pagination_total?: unknown };
        latenciesMs.push(performance.now() - startedMs);
        total = body.pagination_total;
      }
      figures.push({
        name: `first page with its total, ${name}, p90`,
        value: quantile(latenciesMs, 0.9),
        unit: "ms",
        target: "<= 15",
        remark: `total ${total}`,
      });
    }
    return figures;
  } finally {
    await node.stop();
  }
}
