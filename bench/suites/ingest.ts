import type { BenchContext } from "../context.ts";
import type { Figure } from "../figures.ts";
import { uploadFiles } from "../files.ts";
import { fundSenders } from "../funds.ts";
import { runCommand, startNodeProcess } from "../processes.ts";
import { bareInserts } from "./bare-inserts.ts";
import { largestLog, storedIn } from "./stored.ts";

/** Share of the corpus whose ingest is timed: its end, when the database is large. */
const TIMED_SHARE = 0.1;

/** `twentysix import` of the corpus: each message verified, applied, and synced to disk. */
export async function ingest(context: BenchContext): Promise<Figure[]> {
  const { dataDir, database, databaseFlags, corpusPath, messages, say } = context;
  const timed = Math.round(messages * TIMED_SHARE);
  const untimed = messages - timed;
  const untimedPath = await corpusPath(0, untimed);
  const timedPath = await corpusPath(untimed, messages);
  const importOf = (path: string): readonly string[] => {
    return ["import", "--data-dir", dataDir, "--log-level", "warn", "--input", path, ...databaseFlags];
  };
  await withFiles(context);
  const stored = storedIn(database);
  say(`importing ${untimed} messages`);
  const first = await runCommand(importOf(untimedPath));
  const before = stored.lastEvent();
  say(`importing ${timed} more, timed`);
  const logBytes = largestLog(`${database}-wal`);
  const last = await runCommand(importOf(timedPath));
  const endSeconds = Date.now() / 1000 - stored.lastCommitSeconds();
  const logMb = logBytes() / 2 ** 20;
  const bytes = stored.bytes();
  const rootSeconds = await firstRoot(context);
  const baseline = await bareInserts(timedPath);
  return [
    {
      name: `import, last ${timed} of ${messages}`,
      value: timed / stored.secondsOfEvents(before),
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
async function withFiles({ dataDir, databaseFlags }: BenchContext): Promise<void> {
  const node = await startNodeProcess(dataDir, databaseFlags);
  await uploadFiles(node.apiUrl);
  await fundSenders(node.apiUrl);
  await node.stop();
}

/** The trees follow when there is time: how long the first question for the root takes. */
async function firstRoot({ dataDir, databaseFlags }: BenchContext): Promise<number> {
  const node = await startNodeProcess(dataDir, databaseFlags);
  const startedMs = performance.now();
  const answer = await fetch(`${node.apiUrl}/api/v1/state-root`);
  await answer.text();
  const seconds = (performance.now() - startedMs) / 1000;
  await node.stop();
  return seconds;
}
