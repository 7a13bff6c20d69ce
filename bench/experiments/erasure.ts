import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createClient, createEvmAccount } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import { sendFunds } from "../funds.ts";
import { type StartedNode, startNodeProcess } from "../processes.ts";

/*
 * `npm run erasure [-- --file-bytes 60000000,1000000000 --nodes 4 --data-shards 2 --total-shards 3]`: large files in a
 * network of processes that keeps them in shards. Each file is stored at one node, spread, got from every node with all
 * of its bytes hashed; then a shard is taken from a disk, and in the end a node is killed, and each time what is missing
 * is made again. Says how long each step took, and the most memory that any node has had.
 */

const { values } = parseArgs({
  options: {
    "file-bytes": { type: "string", default: "60000000,1000000000" },
    nodes: { type: "string", default: "4" },
    "data-shards": { type: "string", default: "2" },
    "total-shards": { type: "string", default: "3" },
  },
});
const SIZES = values["file-bytes"].split(",").map(Number);
const COUNT = Number(values.nodes);
const TOTAL_SHARDS = Number(values["total-shards"]);
const ERASURE = {
  dataShards: Number(values["data-shards"]),
  totalShards: TOTAL_SHARDS,
  minFileBytes: 65_536,
};
const AUDIT_SECONDS = 20;
const OUTAGE_SECONDS = 30;
const STEP_LIMIT_MS = 3_600_000;
const PIECE_BYTES = 4_000_000;
const LOOK_MS = 500;

interface Node extends StartedNode {
  readonly dataDir: string;
}

interface Durability {
  readonly erasure: {
    readonly shards: readonly {
      readonly placed_on: string | null;
      readonly holders: readonly { readonly node: string }[];
    }[];
  } | null;
}

const folder = mkdtempSync(join(tmpdir(), "twentysix-erasure-"));
const account = createEvmAccount({ privateKey: createHash("sha256").update("erasure").digest() });
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

function networkFile(): string {
  const text = readFileSync(new URL("../../networks/local.json", import.meta.url), "utf8");
  const { $schema: _forEditors, ...definition } = JSON.parse(text) as Record<string, unknown>;
  const durability = {
    copies: TOTAL_SHARDS - ERASURE.dataShards + 1,
    auditSeconds: AUDIT_SECONDS,
    outageSeconds: OUTAGE_SECONDS,
    erasure: ERASURE,
  };
  const path = join(folder, "network.json");
  writeFileSync(path, JSON.stringify({ ...definition, name: "erasure", durability }));
  return path;
}

async function startAll(): Promise<Node[]> {
  const network = networkFile();
  const most = String(Math.max(...SIZES));
  const nodes: Node[] = [];
  for (let index = 0; index < COUNT; index += 1) {
    const peers = nodes.flatMap(({ peerAddresses }) => peerAddresses);
    const flags = ["--network", network, "--max-storage-upload", most];
    const dataDir = join(folder, String(index));
    const told = peers.length === 0 ? [] : ["--peers", peers.join(",")];
    nodes.push(Object.assign(await startNodeProcess(dataDir, [...flags, ...told]), { dataDir }));
  }
  return nodes;
}

const nameOf = (node: Node): string => node.peerAddresses[0]?.split("/p2p/")[1] ?? "";

const wholePath = ({ dataDir }: Node, hash: string): string =>
  join(dataDir, "contents", "files", hash.slice(0, 2), hash);

/** Files on the disk of a node, shards among them. */
function blobsOf({ dataDir }: Node): string[] {
  const files = readdirSync(join(dataDir, "contents", "files"), { recursive: true, withFileTypes: true });
  return files.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/** Every node knows each shard to be where it belongs, and none has the whole. */
async function isSpread(nodes: readonly Node[], hash: string): Promise<boolean> {
  const names = nodes.map(nameOf);
  for (const node of nodes) {
    if (existsSync(wholePath(node, hash))) return false;
    const answer = await fetch(`${node.apiUrl}/api/v1/files/${hash}/durability`);
    if (!answer.ok) return false;
    const { erasure } = (await answer.json()) as Durability;
    const shards = erasure?.shards ?? [];
    if (shards.length !== TOTAL_SHARDS) return false;
    for (const { placed_on: place, holders } of shards)
      if (place === null || !names.includes(place) || !holders.some((holder) => holder.node === place))
        return false;
  }
  return true;
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const limitMs = performance.now() + STEP_LIMIT_MS;
  while (!(await isSo())) {
    if (performance.now() > limitMs) throw new Error(`${what}: not within ${STEP_LIMIT_MS / 60_000} min`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function sha256At(url: string): Promise<string> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  const digest = createHash("sha256");
  for await (const piece of answer.body ?? []) digest.update(piece);
  return digest.digest("hex");
}

async function servedBy(nodes: readonly Node[], hash: string): Promise<void> {
  for (const node of nodes)
    if ((await sha256At(`${node.apiUrl}/api/v0/storage/raw/${hash}`)) !== hash)
      throw new Error(`${node.apiUrl} gives other bytes`);
}

async function store(node: Node, sizeBytes: number): Promise<string> {
  const pieces = Array.from({ length: Math.ceil(sizeBytes / PIECE_BYTES) }, (_one, index) =>
    randomBytes(Math.min(PIECE_BYTES, sizeBytes - index * PIECE_BYTES)),
  );
  const options = { apiUrl: node.apiUrl, createSha256: createNodeSha256, timeoutMs: STEP_LIMIT_MS };
  const stored = await createClient(options).storeFile({ account, file: new Blob(pieces), sync: true });
  return stored.fileHash;
}

const memoryOf = (nodes: readonly Node[]): number => Math.max(...nodes.map((node) => node.usage().peakRssMb));

let nodes = await startAll();
try {
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error("Two nodes at least are needed");
  await sendFunds(first.apiUrl, [account.address]);
  say("| file, MB | step | seconds | most memory of a node until then, MB |\n|---|---|---|---|");
  const hashes: string[] = [];
  for (const sizeBytes of SIZES) {
    const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
      const startedMs = performance.now();
      const done = await work();
      const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
      say(`| ${sizeBytes / 1e6} | ${what} | ${seconds} | ${Math.round(memoryOf(nodes))} |`);
      return done;
    };
    const hash = await step("stored at one node", () => store(first, sizeBytes));
    hashes.push(hash);
    const spread = (): Promise<void> => until("spreading", () => isSpread(nodes, hash));
    await step("spread: each shard proven at its place, nobody has the whole", spread);
    await step(`got from each of ${nodes.length} nodes, all bytes hashed`, () => servedBy(nodes, hash));
    await step("what was put together for that is given up again", spread);
    const before = new Set(nodes.flatMap(blobsOf));
    const shard = nodes.flatMap(blobsOf).find((path) => isShardOf(path, sizeBytes));
    if (shard === undefined) throw new Error("Nobody has a shard");
    rmSync(shard);
    await step("a shard is taken from a disk, and is there again", () =>
      until("mending", () => existsSync(shard) || nodes.flatMap(blobsOf).some((path) => !before.has(path))),
    );
    await step("spread again", spread);
  }
  const [gone] = nodes.filter((node) => node !== first && blobsOf(node).length > 0);
  if (gone === undefined) throw new Error("Only one node has shards");
  await gone.kill();
  nodes = nodes.filter((node) => node !== gone);
  for (const [index, hash] of hashes.entries()) {
    const startedMs = performance.now();
    await until("repair", () => isSpread(nodes, hash));
    await servedBy(nodes, hash);
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    const what = "a node is killed: all shards are there again, and every survivor gives the file";
    say(`| ${(SIZES[index] ?? 0) / 1e6} | ${what} | ${seconds} | ${Math.round(memoryOf(nodes))} |`);
  }
} finally {
  await Promise.all(nodes.map((node) => node.stop()));
  rmSync(folder, { recursive: true, force: true });
}

/** Shards are rows of whole cells of the file: a part of it, and a little. */
function isShardOf(path: string, sizeBytes: number): boolean {
  const { size: length } = statSync(path);
  const shardBytes = sizeBytes / ERASURE.dataShards;
  return length >= shardBytes && length < shardBytes + 1_000_000;
}
