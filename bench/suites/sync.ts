import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createEvmAccount } from "@twentysix/protocol";
import type { BenchContext } from "../context.ts";
import type { Figure } from "../figures.ts";
import { signedPost } from "../funds.ts";
import { messageCount, metric, peerAddress, stateRoot, syncOf, until } from "../node-answers.ts";
import { runCommand, type StartedNode, startNodeProcess } from "../processes.ts";
import { storedIn } from "./stored.ts";

/** Messages that each of two nodes has and the other one has not. */
const DIFFERENT = 50;
/** How often the new node is killed on its way. */
const KILLS = 3;
/** Each look costs both nodes a little. */
const LOOK_MS = 500;

/**
 * A new node beside one that has everything: it catches up, killed on its way; then the two are taken apart, get
 * different messages, and meet again.
 */
export async function sync(context: BenchContext): Promise<Figure[]> {
  const folder = mkdtempSync(join(dirname(context.dataDir), "twentysix-bench-sync-"));
  try {
    return [...(await catchUp(context, folder)), ...(await meetAgain(context, folder))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function catchUp({ dataDir, messages, say }: BenchContext, folder: string): Promise<Figure[]> {
  const source = await startNodeProcess(dataDir);
  const flags = ["--peers", await peerAddress(source)];
  const total = (await stateRoot(source)).count;
  const startedMs = performance.now();
  let [runs, cpuSeconds, peakRssMb] = [0, 0, 0];
  let node = await startNodeProcess(folder, flags);
  for (let kills = 0; kills < KILLS; kills += 1) {
    const enough = (total * (kills + 1)) / (KILLS + 1);
    await until(async () => (await messageCount(node)) >= enough, LOOK_MS);
    say(`killing the new node at ${await messageCount(node)} of ${total} messages`);
    const { cpuSeconds: cpu, peakRssMb: rss } = node.usage();
    [cpuSeconds, peakRssMb] = [cpuSeconds + cpu, Math.max(peakRssMb, rss)];
    process.kill(node.pid, "SIGKILL");
    node = await startNodeProcess(folder, flags);
    runs += 1;
  }
  // Asked for earlier, the root would be brought up to date beside the rest.
  await until(async () => (await syncOf(node)).state === "ready", LOOK_MS);
  const { root } = await stateRoot(source);
  await until(async () => (await stateRoot(node)).root === root, LOOK_MS);
  const seconds = (performance.now() - startedMs) / 1_000;
  const usage = node.usage();
  const stored = storedIn(join(folder, "core", "messages.sqlite"));
  const busySeconds = stored.secondsOfEvents(0);
  await node.stop();
  await source.stop();
  return [
    {
      name: `catch-up from empty, ${messages} messages from one peer, killed ${runs} times`,
      value: total / seconds,
      unit: "messages/s",
      target: ">= 3000",
      remark: "until both have one state root, starts of the processes included; both nodes on this machine",
    },
    {
      name: "catch-up, from the first to the last commit",
      value: total / busySeconds,
      unit: "messages/s",
    },
    {
      name: "catch-up, messages that came before what they need",
      value: (stored.waited() / total) * 100,
      unit: "%",
      remark: "and were queued; those whose file was not there yet counted",
    },
    {
      name: "catch-up, processor time of the new node",
      value: ((cpuSeconds + usage.cpuSeconds) / total) * 1e6,
      unit: "us/message",
    },
    {
      name: "catch-up, processor time of its peer",
      value: (source.usage().cpuSeconds / total) * 1e6,
      unit: "us/message",
    },
    {
      name: "catch-up, peak resident memory",
      value: Math.max(peakRssMb, usage.peakRssMb),
      unit: "MB",
    },
  ];
}

async function meetAgain(context: BenchContext, folder: string): Promise<Figure[]> {
  const { dataDir, messages } = context;
  const news = await freshPosts(DIFFERENT * 2);
  await importLines(dataDir, news.slice(0, DIFFERENT));
  await importLines(folder, news.slice(DIFFERENT));
  const source = await startNodeProcess(dataDir);
  // The trees take up what came last.
  await stateRoot(source);
  const other = await startNodeProcess(folder, ["--peers", await peerAddress(source)]);
  await until(async () => (await metric(other, "twentysix_connected_peers")) > 0, 5);
  const startedMs = performance.now();
  await until(async () => (await taken(source)) >= DIFFERENT && (await taken(other)) >= DIFFERENT, 20);
  const seconds = (performance.now() - startedMs) / 1_000;
  const roots = [await stateRoot(source), await stateRoot(other)].map(({ root }) => root);
  if (roots[0] !== roots[1]) throw new Error("Two nodes that have met have not one state root");
  const overheadBytes = (await overhead(source)) + (await overhead(other));
  await other.stop();
  await source.stop();
  return [
    {
      name: `two nodes that differ by ${DIFFERENT * 2} of ${messages} messages, bytes beyond the bodies`,
      value: overheadBytes / 1_000,
      unit: "KB",
      target: "<= 150",
      remark: "visits both ways",
    },
    {
      name: "the same, from their connection until both have all",
      value: seconds,
      unit: "s",
      target: "<= 2",
    },
  ];
}

/** Posts that no node has, also where the data folder was used before. */
async function freshPosts(count: number): Promise<readonly string[]> {
  const account = createEvmAccount({ privateKey: randomBytes(32) });
  const time = Math.floor(Date.now() / 1_000);
  return Promise.all(
    Array.from({ length: count }, (_, n) =>
      signedPost(account, { type: "bench", content: { n } }, time + n / count, "BENCH"),
    ),
  );
}

async function importLines(dataDir: string, lines: readonly string[]): Promise<void> {
  const path = join(dataDir, "news.ndjson");
  writeFileSync(path, `${lines.join("\n")}\n`);
  await runCommand(["import", "--data-dir", dataDir, "--log-level", "warn", "--input", path]);
  rmSync(path);
}

const taken = (node: StartedNode): Promise<number> => metric(node, "twentysix_sync_taken_messages_total");
const overhead = (node: StartedNode): Promise<number> => metric(node, "twentysix_sync_overhead_bytes_total");
