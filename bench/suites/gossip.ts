import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEvmAccount } from "@twentysix/protocol";
import { createNodeSecp256k1Signer } from "@twentysix/protocol/node";
import type { BenchContext } from "../context.ts";
import { type Figure, quantile } from "../figures.ts";
import { type StartedNode, startNodeProcess } from "../processes.ts";

/** How many nodes, how many messages a second in the whole network, and for how long. */
const NETWORKS = [
  { nodes: 3, perSecond: 200, seconds: 20 },
  { nodes: 20, perSecond: 10, seconds: 30 },
] as const;

/** Nodes that the others are told of; they hear of the rest by themselves. */
const KNOWN = 3;
const SETTLE_MS = 10_000;
const DRAIN_MS = 20_000;
/** The same load before what is measured: code that runs for the first time is slow. */
const WARM_UP_SECONDS = 5;

/**
 * Messages posted to nodes in turn, each node a process of its own, all on this machine: how long until every node
 * serves them on its websocket.
 */
export async function gossip({ say }: BenchContext): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const network of NETWORKS) figures.push(...(await measure(network, say)));
  return figures;
}

async function measure(
  { nodes: count, perSecond, seconds }: (typeof NETWORKS)[number],
  say: (text: string) => void,
): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "twentysix-gossip-"));
  const nodes: StartedNode[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      const known = nodes.slice(0, KNOWN).flatMap(({ peerAddresses }) => peerAddresses);
      const flags = known.length === 0 ? [] : ["--peers", known.join(",")];
      nodes.push(await startNodeProcess(join(folder, String(index)), flags));
    }
    const warmUp = perSecond * WARM_UP_SECONDS;
    const all = await signedBodies(warmUp + perSecond * seconds);
    const bodies = all.slice(warmUp);
    const watches = await Promise.all(nodes.map((node) => watch(node)));
    await pause(SETTLE_MS);
    say(`${count} nodes, ${perSecond} messages a second`);
    await post(nodes, all.slice(0, warmUp), perSecond);
    const cpuBefore = cpuOf(nodes);
    const sentMs = await post(nodes, bodies, perSecond);
    await settled(watches, all.length);
    const cpuMs = (cpuOf(nodes) - cpuBefore) * 1_000;
    const latencies = latenciesOf(watches, sentMs);
    const missing = bodies.length * count - latencies.length;
    for (const { socket } of watches) socket.close();
    const name = `${count} nodes at ${perSecond} messages/s`;
    return [
      {
        name: `${name}: published to served, p99`,
        value: quantile(latencies, 0.99),
        unit: "ms",
        target: "<= 500",
        remark: `each message on each node; p50 ${Math.round(quantile(latencies, 0.5))} ms, slowest ${Math.round(quantile(latencies, 1))} ms`,
      },
      {
        name: `${name}: not served after ${DRAIN_MS / 1_000} s`,
        value: missing,
        unit: "deliveries",
        target: "<= 0",
      },
      {
        name: `${name}: processor time`,
        value: cpuMs / bodies.length / count,
        unit: "ms/node/message",
        remark: "what the nodes do besides is in it",
      },
    ];
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const cpuOf = (nodes: readonly StartedNode[]): number =>
  nodes.reduce((sum, node) => sum + node.usage().cpuSeconds, 0);

interface SignedBody {
  readonly hash: string;
  readonly body: string;
}

async function signedBodies(count: number): Promise<SignedBody[]> {
  const privateKey = createHash("sha256").update("gossip").digest();
  const account = createEvmAccount({ privateKey, signer: createNodeSecp256k1Signer() });
  const bodies: SignedBody[] = [];
  for (let index = 0; index < count; index += 1) {
    const seconds = 1_700_000_000 + index;
    const content = { address: account.address, time: seconds, type: "gossip", content: { index } };
    const text = JSON.stringify(content);
    const itemHash = createHash("sha256").update(text).digest("hex");
    const timeMicros = BigInt(seconds) * 1_000_000n;
    const signature = await account.sign({ type: "POST", itemHash, timeMicros });
    const message = {
      ...{ chain: account.chain, sender: account.address, type: "POST", channel: "GOSSIP", time: seconds },
      ...{ item_type: "inline", item_hash: itemHash, item_content: text, signature },
    };
    bodies.push({ hash: itemHash, body: JSON.stringify({ sync: false, message }) });
  }
  return bodies;
}

interface Watch {
  readonly socket: WebSocket;
  /** When the node served each message. */
  readonly servedMs: Map<string, number>;
}

async function watch({ apiUrl }: StartedNode): Promise<Watch> {
  const socket = new WebSocket(`${apiUrl.replace("http", "ws")}/api/ws0/messages?history=0`);
  const servedMs = new Map<string, number>();
  socket.addEventListener("message", ({ data }) => {
    const { item_hash: hash } = JSON.parse(String(data)) as { readonly item_hash?: string };
    if (hash !== undefined) servedMs.set(hash, performance.now());
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", reject, { once: true });
  });
  return { socket, servedMs };
}

/** Posts at an even rate, to the nodes in turn; gives when each was sent. */
async function post(
  nodes: readonly StartedNode[],
  bodies: readonly SignedBody[],
  perSecond: number,
): Promise<ReadonlyMap<string, number>> {
  const sentMs = new Map<string, number>();
  const startedMs = performance.now();
  const answers: Promise<void>[] = [];
  for (const [index, { hash, body }] of bodies.entries()) {
    const dueMs = startedMs + (index * 1_000) / perSecond;
    await pause(Math.max(0, dueMs - performance.now()));
    sentMs.set(hash, performance.now());
    answers.push(postOne(nodes[index % nodes.length]?.apiUrl ?? "", body));
  }
  await Promise.all(answers);
  return sentMs;
}

async function postOne(apiUrl: string, body: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${apiUrl}/api/v0/messages`, { method: "POST", headers, body });
  if (response.status !== 202) throw new Error(`A message was answered with ${response.status}`);
}

async function settled(watches: readonly Watch[], count: number): Promise<void> {
  const giveUpMs = performance.now() + DRAIN_MS;
  const isComplete = (): boolean => watches.every(({ servedMs }) => servedMs.size >= count);
  while (!isComplete() && performance.now() < giveUpMs) await pause(50);
}

function latenciesOf(watches: readonly Watch[], sentMs: ReadonlyMap<string, number>): number[] {
  return watches.flatMap(({ servedMs }) =>
    [...sentMs].flatMap(([hash, atMs]) => {
      const served = servedMs.get(hash);
      return served === undefined ? [] : [served - atMs];
    }),
  );
}
