import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createSeededRandom, shuffled } from "@twentysix/platform";
import { type Account, type Client, createClient, createEvmAccount } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import { sendFunds } from "../funds.ts";
import { type StartedNode, startNodeProcess } from "../processes.ts";

/*
 * `npm run survival [-- --nodes 10 --messages 2000 --files 300 --max-file-bytes 50000000 --skew 1 --copies 3 --rounds 2 --seed 1]`:
 * a network of processes that keeps so many copies of each file. As many nodes as files can do without are killed at
 * once (SIGKILL), and every survivor is asked for every message and every file, all of whose bytes are hashed; when all
 * files have their copies again, as many more. With `--copies everyone` all nodes but one are killed at once. Says what
 * was lost: nothing may be.
 */

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "10" },
    messages: { type: "string", default: "2000" },
    files: { type: "string", default: "300" },
    "max-file-bytes": { type: "string", default: "50000000" },
    skew: { type: "string", default: "1" },
    copies: { type: "string", default: "3" },
    rounds: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
  },
});
const COUNT = Number(values.nodes);
/** null: every node has one. */
const COPIES = values.copies === "everyone" ? null : Number(values.copies);
const KILLED_AT_ONCE = COPIES === null ? COUNT - 1 : COPIES - 1;
const ROUNDS = COPIES === null ? 1 : Number(values.rounds);
const MIN_FILE_BYTES = 1_000;
/** Every node asks every place of every file within that time, a few of them a second. */
const AUDIT_SECONDS = Math.max(20, Math.ceil((Number(values.files) * (COPIES ?? 1)) / 4));
const OUTAGE_SECONDS = 5;
const GIVE_UP_MS = 900_000;
const WIDTH = 8;

const random = createSeededRandom(Number(values.seed));
const folder = mkdtempSync(join(tmpdir(), "twentysix-survival-"));
const account = createEvmAccount({ privateKey: createHash("sha256").update("survival").digest() });

interface Stored {
  readonly hash: string;
  readonly sizeBytes: number;
}

interface Held {
  readonly messages: readonly string[];
  readonly files: readonly Stored[];
}

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const clientOf = ({ apiUrl }: StartedNode): Client =>
  createClient({ apiUrl, createSha256: createNodeSha256, timeoutMs: 120_000 });

function networkFile(): string {
  const text = readFileSync(new URL("../../networks/local.json", import.meta.url), "utf8");
  const { $schema: _forEditors, ...definition } = JSON.parse(text) as Record<string, unknown>;
  const durability = { copies: COPIES, auditSeconds: AUDIT_SECONDS, outageSeconds: OUTAGE_SECONDS };
  const path = join(folder, "network.json");
  writeFileSync(path, JSON.stringify({ ...definition, name: "survival", durability }));
  return path;
}

async function startAll(): Promise<StartedNode[]> {
  const network = networkFile();
  const nodes: StartedNode[] = [];
  for (let index = 0; index < COUNT; index += 1) {
    const peers = nodes.flatMap(({ peerAddresses }) => peerAddresses);
    const flags = ["--network", network, ...(peers.length === 0 ? [] : ["--peers", peers.join(",")])];
    nodes.push(await startNodeProcess(join(folder, String(index)), flags));
  }
  return nodes;
}

/** Sizes from one end of the range to the other, even in their logarithm with a skew of 1; above it more are small. */
function fileSize(index: number, count: number): number {
  const ratio = Number(values["max-file-bytes"]) / MIN_FILE_BYTES;
  const share = index / Math.max(1, count - 1);
  return Math.round(MIN_FILE_BYTES * ratio ** (share ** Number(values.skew)));
}

async function fill(nodes: readonly StartedNode[]): Promise<Held> {
  const [first] = nodes;
  if (first === undefined) throw new Error("There is no node");
  await sendFunds(first.apiUrl, [account.address]);
  const messages: string[] = [];
  const files: Stored[] = [];
  await inParallel(Number(values.messages), async (index) => {
    const node = nodes[index % nodes.length] ?? first;
    const content = { number: index };
    const made = await clientOf(node).createPost({
      account: account as Account,
      type: "survival",
      content,
      sync: true,
    });
    messages.push(made.itemHash);
  });
  const count = Number(values.files);
  await inParallel(count, async (index) => {
    const sizeBytes = fileSize(index, count);
    const node = nodes[index % nodes.length] ?? first;
    const file = new Blob([
      Buffer.from(random.randomBytes(Math.min(sizeBytes, 65_536))),
      Buffer.alloc(Math.max(0, sizeBytes - 65_536), index),
    ]);
    const stored = await clientOf(node).storeFile({ account: account as Account, file, sync: true });
    messages.push(stored.itemHash);
    files.push({ hash: stored.fileHash, sizeBytes: stored.sizeBytes });
  });
  return { messages, files };
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  const indexes = Array.from({ length: count }, (_one, index) => index).values();
  await Promise.all(
    Array.from({ length: WIDTH }, async () => {
      for (const index of indexes) await work(index);
    }),
  );
}

/** Seconds until every node has every message, and every file as many copies as the network wants, and no more. */
async function settle(nodes: readonly StartedNode[], held: Held): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const left = await unsettled(nodes, held);
    if (left === 0) return (performance.now() - startedMs) / 1_000;
    if (performance.now() - startedMs > GIVE_UP_MS) throw new Error(`${left} things have not settled`);
    await pause(2_000);
  }
}

async function unsettled(nodes: readonly StartedNode[], { messages, files }: Held): Promise<number> {
  let left = 0;
  for (const node of nodes) {
    const total = await messagesAt(node);
    if (total < messages.length) left += messages.length - total;
  }
  if (left > 0) return left;
  const copies = new Map<string, number>();
  for (const node of nodes)
    for (const hash of await heldAt(node, files)) copies.set(hash, (copies.get(hash) ?? 0) + 1);
  return files.filter(({ hash }) => copies.get(hash) !== Math.min(COPIES ?? nodes.length, nodes.length))
    .length;
}

async function messagesAt({ apiUrl }: StartedNode): Promise<number> {
  const answer = await fetch(`${apiUrl}/api/v0/messages.json?pagination=1&addresses=${account.address}`);
  return ((await answer.json()) as { readonly pagination_total: number }).pagination_total;
}

async function heldAt({ apiUrl }: StartedNode, files: readonly Stored[]): Promise<string[]> {
  const held: string[] = [];
  await inParallel(files.length, async (index) => {
    const { hash } = files[index] ?? { hash: "" };
    const { status } = await fetch(`${apiUrl}/api/v0/storage/raw/${hash}`, { method: "HEAD" });
    if (status === 200) held.push(hash);
  });
  return held;
}

/** What survivors do not serve. */
async function lost(nodes: readonly StartedNode[], { messages, files }: Held): Promise<string[]> {
  const missing: string[] = [];
  for (const node of nodes) {
    await inParallel(messages.length, async (index) => {
      const answer = await fetch(`${node.apiUrl}/api/v0/messages/${messages[index]}`);
      await answer.arrayBuffer();
      if (answer.status !== 200) missing.push(`message ${messages[index]} at ${node.apiUrl}`);
    });
    await inParallel(files.length, async (index) => {
      const { hash = "" } = files[index] ?? {};
      if ((await sha256At(`${node.apiUrl}/api/v0/storage/raw/${hash}`)) !== hash)
        missing.push(`file ${hash} at ${node.apiUrl}`);
    });
  }
  return missing;
}

async function sha256At(url: string): Promise<string | null> {
  const answer = await fetch(url);
  const digest = createHash("sha256");
  for await (const piece of answer.body ?? []) digest.update(piece);
  return answer.status === 200 ? digest.digest("hex") : null;
}

let nodes = await startAll();
try {
  const startedMs = performance.now();
  const held = await fill(nodes);
  const bytes = held.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const filledSeconds = (performance.now() - startedMs) / 1_000;
  say(
    `filled with ${held.messages.length} messages and ${held.files.length} files (${Math.round(bytes / 1e6)} MB) in ${seconds(filledSeconds)}`,
  );
  const settledSeconds = await settle(nodes, held);
  say(`every file has its copies (${values.copies}) after ${seconds(settledSeconds)}`);
  const rounds = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const order = shuffled(random, nodes);
    const victims = order.slice(0, KILLED_AT_ONCE);
    await Promise.all(victims.map((node) => node.kill()));
    nodes = order.slice(KILLED_AT_ONCE);
    const checkedMs = performance.now();
    const missing = await lost(nodes, held);
    const servedSeconds = (performance.now() - checkedMs) / 1_000;
    say(
      `round ${round}: ${victims.length} of ${order.length} killed at once; ${nodes.length} survivors served everything but ${missing.length} things, in ${seconds(servedSeconds)}`,
    );
    for (const one of missing.slice(0, 10)) say(`  ${one}`);
    const repairedSeconds = nodes.length > 1 ? await settle(nodes, held) : 0;
    say(`round ${round}: all copies again after ${seconds(repairedSeconds)} more`);
    rounds.push({
      killed: victims.length,
      survivors: nodes.length,
      lost: missing.length,
      servedSeconds,
      repairedSeconds,
    });
    if (missing.length > 0) process.exitCode = 1;
  }
  process.stdout.write(`${JSON.stringify({ ...values, bytes, filledSeconds, settledSeconds, rounds })}\n`);
} finally {
  await Promise.all(nodes.map((node) => node.stop()));
  rmSync(folder, { recursive: true, force: true });
}

function seconds(value: number): string {
  return `${Math.round(value)} s`;
}
