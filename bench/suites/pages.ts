import type { BenchContext } from "../context.ts";
import { type Figure, quantile } from "../figures.ts";
import { startNodeProcess } from "../processes.ts";
import { filterMatrix, type ListedFilter } from "./filters.ts";

const PAGE = 20;
/** Pages of the largest size that lie between two measured ones, so that the walk gets deep. */
const LEAP_PAGES = 5;
const LEAP_SIZE = 200;
const MEASURED = 150;
/** How many of those are the first pages, one after the other. */
const AT_THE_START = 30;

/** Pages of 20 by cursor, at the start of a list and ever deeper, one request at a time. */
export async function pages({ dataDir, messages, say }: BenchContext): Promise<Figure[]> {
  const node = await startNodeProcess(dataDir);
  try {
    const figures: Figure[] = [];
    for (const filter of filterMatrix()) {
      const { latenciesMs, depth } = await walk(node.apiUrl, filter);
      const value = quantile(latenciesMs, 0.99);
      say(`${filter.name}: p99 ${value.toFixed(1)} ms, ${depth} rows deep`);
      figures.push({
        name: `page of ${PAGE} by cursor, ${filter.name}, p99`,
        value,
        unit: "ms",
        target: "<= 15",
        remark: `${latenciesMs.length} pages, ${depth} rows deep of ${messages} messages`,
      });
    }
    return figures;
  } finally {
    await node.stop();
  }
}

async function walk(
  apiUrl: string,
  { path, query }: ListedFilter,
): Promise<{ readonly latenciesMs: number[]; readonly depth: number }> {
  const latenciesMs: number[] = [];
  let depth = 0;
  let cursor: string | null = "";
  const step = async (size: number): Promise<number> => {
    const startedMs = performance.now();
    const answer = await fetch(`${apiUrl}${path}?${query}&pagination=${size}&cursor=${cursor}`);
    const text = await answer.text();
    const spentMs = performance.now() - startedMs;
    if (answer.status !== 200) throw new Error(`${path}?${query}: ${answer.status} ${text}`);
    cursor = (JSON.parse(text) as { next_cursor: string | null }).next_cursor;
    depth += size;
    return spentMs;
  };
  while (cursor !== null && latenciesMs.length < MEASURED) {
    latenciesMs.push(await step(PAGE));
    const leaps = latenciesMs.length < AT_THE_START ? 0 : LEAP_PAGES;
    for (let at = 0; at < leaps && cursor !== null; at += 1) await step(LEAP_SIZE);
  }
  return { latenciesMs, depth };
}
