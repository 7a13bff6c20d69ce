import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { BenchContext } from "./context.ts";
import { ensureCorpus } from "./corpus.ts";
import { type Figure, isMet, renderTable } from "./figures.ts";
import { counts } from "./suites/counts.ts";
import { httpIngest } from "./suites/http-ingest.ts";
import { ingest } from "./suites/ingest.ts";
import { pages } from "./suites/pages.ts";
import { pointReads } from "./suites/point-reads.ts";
import { start } from "./suites/start.ts";
import { wholeList } from "./suites/whole-list.ts";

/*
 * `npm run bench [-- --messages N] [--data-dir DIR] [--suites a,b]`: measures whole processes of the product, one
 * suite after the other on the same data; prints a table and writes bench/results/<messages>.json. With a data
 * folder that is kept, suites can be run again without the first one.
 */

const SUITES = { ingest, start, pointReads, pages, counts, wholeList, httpIngest } as const;

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "1000000" },
    "data-dir": { type: "string" },
    suites: { type: "string", default: Object.keys(SUITES).join() },
  },
});
const messages = Number(values.messages);
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const kept = values["data-dir"];
const dataDir = kept ?? mkdtempSync(join(tmpdir(), "twentysix-bench-"));
const context: BenchContext = {
  dataDir,
  messages,
  corpusPath: (from, to) => ensureCorpus(from, to, say),
  say,
};
const figures: Record<string, readonly Figure[]> = {};
try {
  for (const name of values.suites.split(",")) {
    const suite = SUITES[name as keyof typeof SUITES];
    if (suite === undefined) throw new Error(`There is no suite ${name}: use ${Object.keys(SUITES).join()}`);
    say(`== ${name}`);
    figures[name] = await suite(context);
    process.stdout.write(`${renderTable(figures[name] ?? [])}\n\n`);
  }
} finally {
  if (kept === undefined) rmSync(dataDir, { recursive: true, force: true });
}
writeResults();

function writeResults(): void {
  const folder = new URL("results/", import.meta.url).pathname;
  mkdirSync(folder, { recursive: true });
  const report = {
    takenAt: new Date().toISOString(),
    node: process.version,
    machine: {
      processor: cpus()[0]?.model ?? "unknown",
      cores: availableParallelism(),
      memoryGb: Math.round(totalmem() / 1e9),
    },
    messages,
    missed: Object.values(figures).flatMap((all) =>
      all.filter((one) => isMet(one) === false).map(({ name }) => name),
    ),
    figures,
  };
  writeFileSync(join(folder, `${messages}-messages.json`), `${JSON.stringify(report, null, 2)}\n`);
}
