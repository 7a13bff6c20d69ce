import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { BenchContext } from "../context.ts";
import type { Figure } from "../figures.ts";
import { uploadFiles } from "../files.ts";
import { fundSenders } from "../funds.ts";
import { runCommand, startNodeProcess } from "../processes.ts";
import { bareInserts } from "./bare-inserts.ts";

/** Share of the corpus whose ingest is timed: its end, when the database is large. */
const TIMED_SHARE = 0.1;
const LOG_SAMPLE_MS = 200;

/** `twentysix import` of the corpus: each message verified, applied, and synced to disk. */
export async function ingest({ dataDir, corpusPath, messages, say }: BenchContext): Promise<Figure[]> {
  const timed = Math.round(messages * TIMED_SHARE);
  const untimed = messages - timed;
  const untimedPath = await corpusPath(0, untimed);
  const timedPath = await corpusPath(untimed, messages);
  const importOf = (path: string): readonly string[] => {
    return ["import", "--data-dir", dataDir, "--log-level", "warn", "--input", path];
  };
  await withFiles(dataDir);
  say(`importing ${untimed} messages`);
  const first = await runCommand(importOf(untimedPath));
  const before = lastEvent(dataDir);
  say(`importing ${timed} more, timed`);
  const logBytes = largestLog(dataDir);
  const last = await runCommand(importOf(timedPath));
  const endSeconds = Date.now() / 1000 - lastCommitSeconds(dataDir);
  const logMb = logBytes() / 2 ** 20;
  const bytes = diskBytes(dataDir);
  const rootSeconds = await firstRoot(dataDir);
  const baseline = await bareInserts(timedPath);
  return [
    {
      name: `import, last ${timed} of ${messages}`,
      value: timed / secondsOfEvents(dataDir, before),
      unit: "messages/s",
      target: ">= 4000",
      baseline: { name: "bare inserts of the same texts, synced alike", value: baseline },
      remark: "from the first to the last commit",
    },
    {
      name: `import of the ${untimed} before, start and end of the process included`,
      value: untimed / first.seconds,
      unit: "messages/s",
    },
    { name: "import, processor time", value: (last.cpuSeconds / timed) * 1e6, unit: "us/message" },
    {
      name: "import, peak resident memory",
      value: Math.max(first.peakRssMb, last.peakRssMb),
      unit: "MB",
      target: "<= 400",
    },
    {
      name: "import, from the last commit to the end of the process",
      value: endSeconds,
      unit: "s",
      target: "<= 10",
    },
    { name: "import, largest log of the database", value: logMb, unit: "MB", target: "<= 700" },
    {
      name: "first state root after the import",
      value: rootSeconds,
      unit: "s",
      remark: "the trees may lag by half a million events while messages pour in",
    },
    {
      name: "database beyond the texts",
      value: (bytes.database - bytes.texts) / messages,
      unit: "bytes/message",
      target: "<= 1000",
    },
  ];
}

/** The files that the messages name, uploaded as a user would, and what their senders have. */
async function withFiles(dataDir: string): Promise<void> {
  const node = await startNodeProcess(dataDir);
  await uploadFiles(node.apiUrl);
  await fundSenders(node.apiUrl);
  await node.stop();
}

/** The trees follow when there is time: how long the first question for the root takes. */
async function firstRoot(dataDir: string): Promise<number> {
  const node = await startNodeProcess(dataDir);
  const startedMs = performance.now();
  const answer = await fetch(`${node.apiUrl}/api/v1/state-root`);
  await answer.text();
  const seconds = (performance.now() - startedMs) / 1000;
  await node.stop();
  return seconds;
}

function withDatabase<T>(dataDir: string, read: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(dataDir, "core", "messages.sqlite"), { readOnly: true });
  try {
    return read(database);
  } finally {
    database.close();
  }
}

function lastEvent(dataDir: string): number {
  return withDatabase(dataDir, (database) => {
    const row = database.prepare("SELECT max(seq) AS seq FROM events").get() as { seq: number };
    return row.seq;
  });
}

function lastCommitSeconds(dataDir: string): number {
  return withDatabase(dataDir, (database) => {
    const row = database.prepare("SELECT max(at_us) AS us FROM events").get() as { us: number };
    return row.us / 1e6;
  });
}

/** Watches the log; the call that it returns ends that and gives the largest size. */
function largestLog(dataDir: string): () => number {
  const path = join(dataDir, "core", "messages.sqlite-wal");
  let largest = 0;
  const timer = setInterval(() => {
    largest = Math.max(largest, statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  }, LOG_SAMPLE_MS);
  return () => {
    clearInterval(timer);
    return largest;
  };
}

/** Every event carries the time of its batch. */
function secondsOfEvents(dataDir: string, afterSeq: number): number {
  return withDatabase(dataDir, (database) => {
    const row = database
      .prepare("SELECT max(at_us) - min(at_us) AS us FROM events WHERE seq > ?")
      .get(afterSeq) as { us: number };
    return row.us / 1e6;
  });
}

function diskBytes(dataDir: string): { readonly database: number; readonly texts: number } {
  const texts = withDatabase(dataDir, (database) => {
    const sum =
      "SELECT sum(length(CAST(envelope AS BLOB)) + coalesce(length(CAST(content AS BLOB)), 0)) AS n FROM";
    const rows = ["copies", "candidates"].map(
      (table) => database.prepare(`${sum} ${table}`).get() as { n: number | null },
    );
    return rows.reduce((total, { n }) => total + (n ?? 0), 0);
  });
  return { database: statSync(join(dataDir, "core", "messages.sqlite")).size, texts };
}
