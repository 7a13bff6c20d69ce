import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { createMemoryLogger, createSystemClock, createSystemTimers } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import { type ExportReport, exportMessages } from "../../src/archive/export-messages.ts";
import { importMessages } from "../../src/archive/import-messages.ts";
import type { ImportReport } from "../../src/archive/import-report.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { stateRulesOf } from "../../src/pipeline/state-rules.ts";
import { StateHarness } from "../pipeline/support/state-harness.ts";
import { openContents } from "./support.ts";

const timers = createSystemTimers();
const clock = createSystemClock();

export interface Exported {
  readonly lines: readonly string[];
  readonly report: ExportReport;
}

/** What `export` writes of the folder of a node. */
export async function exportFolder(
  folder: string,
  options: { readonly after?: string; readonly withFiles?: boolean } = {},
): Promise<Exported> {
  const destination = new PassThrough();
  const written = text(destination);
  const report = await exportMessages({
    databasePath: join(folder, "messages.sqlite"),
    contentsFolder: join(folder, "contents"),
    destination,
    withFiles: options.withFiles ?? true,
    ...(options.after === undefined ? {} : { after: options.after }),
    timers,
    signal: new AbortController().signal,
  });
  destination.end();
  return { lines: (await written).split("\n").filter((line) => line !== ""), report };
}

export interface ImportFlags {
  readonly trustForgotten?: boolean;
  readonly skipLines?: number;
  /** Ends the import after so many lines. */
  readonly endAfter?: number;
}

/** Gives these lines to `import` over the folder of a node that rests. */
export async function importLines(
  folder: string,
  definition: NetworkDefinition,
  lines: readonly string[],
  options: ImportFlags = {},
): Promise<ImportReport> {
  await using stack = new AsyncDisposableStack();
  const contents = stack.use(await openContents(folder));
  const databasePath = join(folder, "messages.sqlite");
  const pipeline = await Pipeline.start({
    databasePath,
    blobs: { folder: join(folder, "contents", "files") },
    writerCacheBytes: 8 * 1024 * 1024,
    switches: definition.switches,
    limits: definition.limits,
    // The nodes of these stories accept whatever their funds, as `StateHarness` does.
    rules: { ...stateRulesOf(definition, definition.limits.gracePeriodSeconds * 1_000), ledger: null },
    priceDefaults: definition,
    verifierCount: 1,
    maxInFlight: 8_192,
    clock,
    timers,
    log: createMemoryLogger(),
    logPretty: false,
  });
  stack.defer(() => pipeline.close());
  const gracePeriodMicros = 86_400_000_000n;
  const end = new AbortController();
  async function* source(): AsyncGenerator<Buffer> {
    for (const [index, line] of lines.entries()) {
      if (index === options.endAfter) end.abort();
      yield Buffer.from(`${line}\n`);
    }
  }
  return await importMessages(
    { pipeline, contents, databasePath, definition, timers, clock, gracePeriodMicros, hasRoom: () => true },
    {
      source: Readable.from(source(), { highWaterMark: 1 }),
      skipLines: options.skipLines ?? 0,
      trustForgotten: options.trustForgotten ?? true,
      signal: end.signal,
    },
  );
}

/** An empty folder for a node, which goes at the end. */
export async function emptyFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "twentysix-archive-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Everything that a user can see of accepted and forgotten messages, and what follows from them. */
export function visibleState(node: StateHarness): Record<string, unknown> {
  const { statuses = [], ...tables } = node.dump();
  const parsed = statuses.map(
    (row) => JSON.parse(row) as [hash: string, status: number, leaf: string | null],
  );
  const settled = parsed.filter(([, status]) => status === 1 || status === 3);
  const hashes = node.store.session.connection.all<{ hash: string }>(
    "SELECT lower(hex(hash)) AS hash FROM items WHERE status IN (1, 3) AND length(hash) = 32 ORDER BY hash",
  );
  return {
    root: node.root(),
    settled,
    ...tables,
    ...node.answers(),
    views: hashes.map(({ hash }) => [hash, node.view(hash)]),
  };
}

/** The same of the folder of a node that rests. */
export async function visibleStateOf(
  folder: string,
  definition: NetworkDefinition,
): Promise<Record<string, unknown>> {
  await using node = StateHarness.over(folder, definition);
  return visibleState(node);
}
