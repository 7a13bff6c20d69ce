import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createEvmAccount } from "@twentysix/protocol";
import { createNodeSecp256k1Signer } from "@twentysix/protocol/node";
import { Cluster } from "../experiments/partition/cluster.ts";
import { quantile } from "../figures.ts";
import { sendFunds, signedPost } from "../funds.ts";
import { isInOwnNamespaces, namespacesMissing } from "../namespaces.ts";
import type { Calibration, Measured } from "./calibration.ts";
import { CALIBRATION_FILE, readCalibration } from "./calibration.ts";

/*
 * `node bench/scaling/measure.ts [--nodes 3,8,20]`: what a message costs each node of networks of some sizes, each node
 * on a machine of its own (a network namespace), so that its bytes are counted at its cable. Writes what the model of
 * docs/scaling.md is calibrated with.
 */

const { values } = parseArgs({
  options: { nodes: { type: "string", default: "3,8,20" }, seconds: { type: "string", default: "20" } },
});
const SECONDS = Number(values.seconds);
/** Of the whole network, so that two processors are not full. */
const PER_SECOND: Readonly<Record<number, number>> = { 3: 20, 8: 6, 20: 2 };
const SETTLE_MS = 12_000;
const DRAIN_MS = 4_000;
const FILE_BYTES = 20_000_000;
const LIMIT_MS = 60_000;

interface Spent {
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly cpuSeconds: number;
  readonly visits: number;
  readonly visitBytes: number;
}

async function spent(cluster: Cluster): Promise<Spent> {
  const all = Array.from({ length: cluster.size }, (_one, index) => index);
  const bytes = all.map((index) => cluster.machines.bytesOf(index));
  const metrics = await Promise.all(all.map((index) => cluster.metrics(index)));
  const mean = (of: readonly number[]): number => of.reduce((sum, one) => sum + one, 0) / of.length;
  return {
    receivedBytes: mean(bytes.map(({ received }) => received)),
    sentBytes: mean(bytes.map(({ sent }) => sent)),
    cpuSeconds: mean(all.map((index) => cluster.node(index).usage().cpuSeconds)),
    visits: mean(metrics.map((read) => read("twentysix_sync_visits_total"))),
    visitBytes: mean(metrics.map((read) => read("twentysix_sync_overhead_bytes_total"))),
  };
}

const difference = (after: Spent, before: Spent): Spent => ({
  receivedBytes: after.receivedBytes - before.receivedBytes,
  sentBytes: after.sentBytes - before.sentBytes,
  cpuSeconds: after.cpuSeconds - before.cpuSeconds,
  visits: after.visits - before.visits,
  visitBytes: after.visitBytes - before.visitBytes,
});

/** Posts to nodes in turn at an even rate; gives how long each message took to each node. */
async function post(cluster: Cluster, perSecond: number, bodies: readonly string[]): Promise<number[]> {
  const served = new Map<string, number>();
  const sockets = await Promise.all(
    Array.from({ length: cluster.size }, (_one, index) =>
      cluster.watch(index, (hash) => served.set(`${hash} ${index}`, performance.now())),
    ),
  );
  const latencies: number[] = [];
  const sent: { readonly hash: string; readonly atMs: number }[] = [];
  const startedMs = performance.now();
  for (const [number, text] of bodies.entries()) {
    await pause(Math.max(0, startedMs + (number * 1_000) / perSecond - performance.now()));
    sent.push({ hash: (JSON.parse(text) as { item_hash: string }).item_hash, atMs: performance.now() });
    const { apiUrl } = cluster.node(number % cluster.size);
    const headers = { "content-type": "application/json" };
    const body = `{"sync":false,"message":${text}}`;
    void fetch(`${apiUrl}/api/v0/messages`, { method: "POST", headers, body }).then((one) =>
      one.arrayBuffer(),
    );
  }
  await pause(DRAIN_MS);
  for (const { hash, atMs } of sent)
    for (let index = 0; index < cluster.size; index += 1) {
      const servedMs = served.get(`${hash} ${index}`);
      if (servedMs !== undefined) latencies.push(servedMs - atMs);
    }
  for (const socket of sockets) socket.close();
  return latencies;
}

async function measure(count: number): Promise<Measured> {
  await using cluster = await Cluster.start(count);
  const account = createEvmAccount({ privateKey: randomBytes(32), signer: createNodeSecp256k1Signer() });
  await sendFunds(cluster.node(0).apiUrl, [account.address]);
  await pause(SETTLE_MS);
  const perSecond = PER_SECOND[count] ?? 2;
  const now = Math.floor(Date.now() / 1_000);
  const bodies: string[] = [];
  for (let number = 0; number < perSecond * (SECONDS + 5); number += 1)
    bodies.push(
      await signedPost(account, { type: "scaling", content: { number } }, now + number / 1_000, "SCALING"),
    );
  // Code that runs for the first time is slow.
  await post(cluster, perSecond, bodies.splice(0, perSecond * 5));

  const idleFrom = await spent(cluster);
  await pause(SECONDS * 1_000);
  const idle = difference(await spent(cluster), idleFrom);
  const busyFrom = await spent(cluster);
  const startedMs = performance.now();
  const latencies = await post(cluster, perSecond, bodies);
  const busy = difference(await spent(cluster), busyFrom);
  const share = (performance.now() - startedMs) / 1_000 / SECONDS;

  const fileFrom = await spent(cluster);
  const file = new Blob([randomBytes(FILE_BYTES)]);
  const { fileHash } = await cluster.client(0).storeFile({ account, file, sync: true });
  const fileMs = await cluster.keeps(fileHash, LIMIT_MS);
  const ofFile = difference(await spent(cluster), fileFrom);
  return {
    nodes: count,
    messagesPerSecond: perSecond,
    messages: bodies.length,
    messageBytes: bodies.reduce((sum, { length }) => sum + length, 0) / bodies.length,
    perMessage: {
      receivedBytes: (busy.receivedBytes - idle.receivedBytes * share) / bodies.length,
      sentBytes: (busy.sentBytes - idle.sentBytes * share) / bodies.length,
      cpuMs: ((busy.cpuSeconds - idle.cpuSeconds * share) * 1_000) / bodies.length,
    },
    idlePerSecond: {
      receivedBytes: idle.receivedBytes / SECONDS,
      cpuMs: (idle.cpuSeconds * 1_000) / SECONDS,
    },
    bytesPerVisit: idle.visitBytes / idle.visits,
    latencyMs: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
    missing: bodies.length * count - latencies.length,
    file: {
      receivedPerByte: (ofFile.receivedBytes * count) / (FILE_BYTES * (count - 1)),
      seconds: fileMs / 1_000,
      cpuSecondsPerGb: (ofFile.cpuSeconds * 1e9) / FILE_BYTES,
    },
  };
}

const missing = namespacesMissing();
if (missing !== null) process.stderr.write(`Skipped: ${missing}\n`);
else if (await isInOwnNamespaces()) {
  const measured: Measured[] = [];
  for (const count of values.nodes.split(",").map(Number)) {
    measured.push(await measure(count));
    process.stderr.write(`${JSON.stringify(measured.at(-1))}\n`);
  }
  // Sizes that were not measured keep what an earlier run gave them.
  const earlier = existsSync(CALIBRATION_FILE) ? readCalibration().measured : [];
  const kept = earlier.filter(({ nodes }) => !measured.some((one) => one.nodes === nodes));
  const all = [...kept, ...measured].sort((one, other) => one.nodes - other.nodes);
  const calibration: Calibration = { takenAt: new Date().toISOString(), measured: all };
  writeFileSync(CALIBRATION_FILE, `${JSON.stringify(calibration, null, 2)}\n`);
}
