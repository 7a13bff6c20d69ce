import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startTestPostgres } from "../scripts/test-postgres.mjs";
import type { BenchContext } from "./context.ts";
import { ensureCorpus } from "./corpus.ts";
import { type Figure, isMet, renderTable } from "./figures.ts";
import { counts } from "./suites/counts.ts";
import { gossip } from "./suites/gossip.ts";
import { httpIngest } from "./suites/http-ingest.ts";
import { ingest } from "./suites/ingest.ts";
import { ledger } from "./suites/ledger.ts";
import { ledgerDay } from "./suites/ledger-day.ts";
import { pages } from "./suites/pages.ts";
import { pointReads } from "./suites/point-reads.ts";
import { start } from "./suites/start.ts";
import { sync } from "./suites/sync.ts";
import { wholeList } from "./suites/whole-list.ts";

/*
 * `npm run bench [-- --messages N] [--data-dir DIR] [--suites a,b] [--postgres]`: measures whole processes of the
 * product, one suite after the other on the same data; prints a table and writes bench/results/<messages>.json.
 * With a data folder that is kept, suites can be run again without the first one. With --postgres the records are
 * kept by a server that is started for the run, and the figures stand beside those of the embedded database.
 */

const SUITES = {
  ingest,
  start,
  pointReads,
  pages,
  counts,
  wholeList,
  httpIngest,
  ledger,
  ledgerDay,
  gossip,
  sync,
} as const;

/** Those that make sense where the database is a server's; what the rest measures is in the node's own process. */
const ON_POSTGRES: readonly (keyof typeof SUITES)[] = [
  "ingest",
  "start",
  "pointReads",
  "pages",
  "counts",
  "wholeList",
  "httpIngest",
];

/** What bench/results holds, one file a size of the corpus. */
interface Results {
  readonly node: string;
  readonly machine: { readonly processor: string; readonly cores: number; readonly memoryGb: number };
  readonly messages: number;
  /** Names of the figures that miss their target. */
  readonly missed: readonly string[];
  readonly suites: Readonly<
    Record<string, { readonly takenAt: string; readonly figures: readonly Figure[] }>
  >;
}

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "1000000" },
    "data-dir": { type: "string" },
    suites: { type: "string" },
    postgres: { type: "boolean", default: false },
  },
});
const messages = Number(values.messages);
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const kept = values["data-dir"];
const dataDir = kept ?? mkdtempSync(join(tmpdir(), "twentysix-bench-"));
const server = values.postgres ? await startTestPostgres() : null;
if (server?.reason !== undefined) throw new Error(server.reason);
const context: BenchContext = {
  dataDir,
  database: server?.url ?? join(dataDir, "core", "messages.sqlite"),
  databaseFlags: server?.url === undefined ? [] : ["--database", server.url],
  messages,
  corpusPath: (from, to) => ensureCorpus(from, to, say),
  say,
};
const suites = values.suites ?? (values.postgres ? ON_POSTGRES : Object.keys(SUITES)).join();
const figures: Record<string, readonly Figure[]> = {};
try {
  for (const name of suites.split(",")) {
    const suite = SUITES[name as keyof typeof SUITES];
    if (suite === undefined) throw new Error(`There is no suite ${name}: use ${Object.keys(SUITES).join()}`);
    say(`== ${name}`);
    const found = await suite(context);
    figures[values.postgres ? `${name} on PostgreSQL` : name] = found;
    process.stdout.write(`${renderTable(found)}\n\n`);
  }
} finally {
  await server?.stop?.();
  if (kept === undefined) rmSync(dataDir, { recursive: true, force: true });
}
writeResults();

/** Suites that were not run keep the figures that an earlier run gave them. */
function writeResults(): void {
  const folder = new URL("results/", import.meta.url).pathname;
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${messages}-messages.json`);
  const earlier = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Results).suites : {};
  const takenAt = new Date().toISOString();
  const taken = Object.entries(figures).map(([name, all]) => [name, { takenAt, figures: all }]);
  const suites: Results["suites"] = { ...earlier, ...Object.fromEntries(taken) };
  const report: Results = {
    node: process.version,
    machine: {
      processor: cpus()[0]?.model ?? "unknown",
      cores: availableParallelism(),
      memoryGb: Math.round(totalmem() / 1e9),
    },
    messages,
    missed: Object.values(suites).flatMap((suite) =>
      suite.figures.filter((one) => isMet(one) === false).map(({ name }) => name),
    ),
    suites,
  };
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
}
