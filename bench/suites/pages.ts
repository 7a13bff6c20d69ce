import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Client } from "undici";
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
/** The cursor stands behind the items, which are not looked at: collecting what they were parsed into takes time. */
const TAIL_BYTES = 1024;

interface Walk {
  readonly latenciesMs: readonly number[];
  readonly depth: number;
}

/** Pages of 20 by cursor, at the start of a list and ever deeper, one request at a time on one connection. */
export async function pages({ dataDir, databaseFlags, messages, say }: BenchContext): Promise<Figure[]> {
  const figures: Figure[] = [await bareWalk()];
  const node = await startNodeProcess(dataDir, databaseFlags);
  const client = new Client(node.apiUrl, { pipelining: 1 });
  try {
    for (const filter of filterMatrix()) {
      const walked = await walk(client, filter);
      const figure = figureOf(filter, walked, messages);
      say(`${filter.name}: p99 ${figure.value.toFixed(1)} ms, ${figure.remark}`);
      figures.push(figure);
    }
    return figures;
  } finally {
    await client.close();
    await node.stop();
  }
}

function figureOf({ name }: ListedFilter, { latenciesMs, depth }: Walk, messages: number): Figure {
  const part = (share: number): string => quantile(latenciesMs, share).toFixed(1);
  const worstMs = Math.max(...latenciesMs);
  const worst = `worst ${worstMs.toFixed(1)} (page ${latenciesMs.indexOf(worstMs) + 1} of ${latenciesMs.length})`;
  return {
    name: `page of ${PAGE} by cursor, ${name}, p99`,
    value: quantile(latenciesMs, 0.99),
    unit: "ms",
    target: "<= 15",
    remark: `p50 ${part(0.5)}, p90 ${part(0.9)}, ${worst}, ${depth} rows deep of ${messages} messages`,
  };
}

/** The same walk over a server that does nothing. */
async function bareWalk(): Promise<Figure> {
  const script = new URL("../bare-pages.ts", import.meta.url).pathname;
  const server = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
  const client = new Client(url, { pipelining: 1 });
  try {
    const filter = { name: "a server with a constant answer", path: "/", query: "" };
    const { target: _, ...figure } = figureOf(filter, await walk(client, filter), 0);
    return figure;
  } finally {
    await client.close();
    server.kill();
  }
}

async function walk(client: Client, { path, query }: ListedFilter): Promise<Walk> {
  const latenciesMs: number[] = [];
  let depth = 0;
  let cursor: string | null = "";
  const step = async (size: number): Promise<number> => {
    const target = `${path}?${query}&pagination=${size}&cursor=${cursor}`;
    const startedMs = performance.now();
    const { statusCode, body } = await client.request({ method: "GET", path: target });
    const tail = await tailOf(body);
    const spentMs = performance.now() - startedMs;
    if (statusCode !== 200) throw new Error(`${target}: ${statusCode} ${tail}`);
    cursor = nextCursor(tail);
    depth += size;
    return spentMs;
  };
  let deepest = 0;
  while (latenciesMs.length < MEASURED) {
    latenciesMs.push(await step(PAGE));
    const leaps = latenciesMs.length < AT_THE_START ? 0 : LEAP_PAGES;
    for (let at = 0; at < leaps && cursor !== null; at += 1) await step(LEAP_SIZE);
    deepest = Math.max(deepest, depth);
    if (cursor !== null) continue;
    // A short list is walked again: a p99 of few pages would be the worst of them.
    cursor = "";
    depth = 0;
  }
  return { latenciesMs, depth: deepest };
}

async function tailOf(body: AsyncIterable<Buffer>): Promise<string> {
  let tail = Buffer.alloc(0);
  for await (const chunk of body) {
    tail = Buffer.concat(chunk.length >= TAIL_BYTES ? [chunk] : [tail, chunk]).subarray(-TAIL_BYTES);
  }
  return tail.toString();
}

function nextCursor(tail: string): string | null {
  const match = /"next_cursor":(?:"([^"]+)"|null)\}$/.exec(tail);
  if (match === null) throw new Error(`A page ends without a cursor: ${tail.slice(-100)}`);
  return match[1] ?? null;
}
