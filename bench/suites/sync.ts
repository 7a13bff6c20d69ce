import { mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BenchContext } from "../context.ts";
import type { Figure } from "../figures.ts";
import { messageCount, peerAddress, stateRoot, syncOf, until } from "../node-answers.ts";
import { startNodeProcess } from "../processes.ts";
import { DIFFERENT, meetAgain } from "./meet-again.ts";
import { storedIn } from "./stored.ts";

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
    return [...(await catchUp(context, folder)), ...(await differences(context, folder))];
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

async function differences({ dataDir, messages }: BenchContext, folder: string): Promise<Figure[]> {
  const { overheadBytes, seconds } = await meetAgain(dataDir, folder);
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
