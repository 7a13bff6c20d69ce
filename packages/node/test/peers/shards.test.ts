import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { giveTokens } from "../support/funds.ts";
import {
  durabilityAt,
  holdersOf,
  peerIdOf,
  type StoredFile,
  served,
  storeFiles,
  storer,
} from "../support/kept-files.ts";
import { writeNetwork } from "../support/network-file.ts";
import { verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

/** All nodes of a test are one process. */
const MEMORY_BYTES = 8 * 1024 ** 3;

const folder = temporaryFolder("shards");
after(() => folder[Symbol.dispose]());
const network = writeNetwork(folder.path, "local", {
  durability: {
    copies: 3,
    auditSeconds: 2,
    outageSeconds: 2,
    erasure: { dataShards: 2, totalShards: 4, minFileBytes: 64 * 1024 },
  },
});

/** Files and shards on the disk of a node. */
function blobsOf({ dataDir }: TestNode): string[] {
  return readdirSync(join(dataDir, "contents", "files"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** Every shard is with the node that it is placed on, and nobody has the whole. */
async function isSpread(nodes: readonly TestNode[], hash: string): Promise<boolean> {
  if (holdersOf(nodes, hash).length > 0) return false;
  const ids = nodes.map(peerIdOf);
  for (const node of nodes) {
    const { erasure } = await durabilityAt(node, hash);
    const shards = erasure?.shards ?? [];
    const areWhereTheyBelong = shards.every(
      ({ placed_on: place, holders }) =>
        place !== null && ids.includes(place) && holders.some((holder) => holder.node === place),
    );
    if (shards.length !== 4 || !areWhereTheyBelong) return false;
  }
  return true;
}

describe("a network that keeps files in four shards of which two give the file", { timeout: 480_000 }, () => {
  test("spreads them, serves all everywhere, and mends what two nodes take with them, and two again", async () => {
    const nodes: TestNode[] = [];
    for (let index = 0; index < 6; index += 1) {
      const peers = nodes.map(({ core }) => core.peerAddresses()[0] ?? "");
      nodes.push(await startTestNode({ p2pPort: 0, network, peers, maxMemoryBytes: MEMORY_BYTES }));
    }
    after(async () => {
      for (const node of nodes) await node.remove();
    });
    const [first] = nodes;
    assert.ok(first !== undefined);
    await giveTokens(first, { [storer.address]: 1_000 });
    const files = await storeFiles(nodes, [300_000, 65_536, 700_001, 2_000]);
    const small = files.pop();
    for (const { hash } of files) await eventually(() => isSpread(nodes, hash));
    const [watched] = files;
    assert.ok(watched !== undefined && small !== undefined);
    const told = await durabilityAt(first, watched.hash);
    assert.equal(told.class, "erasure");
    assert.equal(told.erasure?.shard_size, 150_000);
    assert.equal(told.erasure?.shards_proven, 4);
    assert.equal(told.survives_losses, 2);
    assert.equal(told.lost_if.length, 3);
    assert.equal((await durabilityAt(first, small.hash)).class, "copies");
    await eventually(() => holdersOf(nodes, small.hash).length === 3);
    for (const node of nodes) for (const file of files) await served(node, file);
    // What was made to be served is given up again.
    for (const { hash } of files) await eventually(() => isSpread(nodes, hash));

    const left = await loseTwo(nodes, watched);
    for (const node of left) for (const file of files) await served(node, file);
    for (const { hash } of files) await eventually(() => isSpread(left, hash));
    const last = await loseTwo(left, watched);
    for (const node of last) for (const file of [...files, small]) await served(node, file);
    for (const { hash } of files) await eventually(() => isSpread(last, hash));
    // Each of two nodes keeps two of the four shards of each file.
    assert.equal((await durabilityAt(last[0] ?? first, watched.hash)).survives_losses, 1);
    const [asked] = last;
    assert.ok(asked !== undefined);
    await asked.stop();
    const report = await verify(asked.dataDir, ["--network", network]);
    assert.deepEqual(report.problems, []);
  });

  test("gives a newcomer everything, and makes again the shards that a node has lost", async () => {
    const nodes: TestNode[] = [];
    for (let index = 0; index < 4; index += 1) {
      const peers = nodes.map(({ core }) => core.peerAddresses()[0] ?? "");
      nodes.push(await startTestNode({ p2pPort: 0, network, peers, maxMemoryBytes: MEMORY_BYTES }));
    }
    after(async () => {
      for (const node of nodes) await node.remove();
    });
    const [first, second] = nodes;
    assert.ok(first !== undefined && second !== undefined);
    await giveTokens(first, { [storer.address]: 1_000 });
    const [file] = await storeFiles(nodes, [400_000]);
    assert.ok(file !== undefined);
    await eventually(() => isSpread(nodes, file.hash));
    // One shard a node; what was surplus is removed a little later.
    await eventually(() => blobsOf(second).length === 1);
    for (const path of blobsOf(second)) rmSync(path);
    await eventually(() => blobsOf(second).length === 1);
    const peers = nodes.map(({ core }) => core.peerAddresses()[0] ?? "");
    const newcomer = await startTestNode({ p2pPort: 0, network, peers, maxMemoryBytes: MEMORY_BYTES });
    nodes.push(newcomer);
    await eventually(async () => (await fetch(`${newcomer.apiUrl}/api/v1/files/${file.hash}/durability`)).ok);
    await served(newcomer, file);
    await eventually(() => isSpread(nodes, file.hash));
  });
});

/** Kills two nodes that hold shards of a file; gives the others. */
async function loseTwo(nodes: readonly TestNode[], { hash }: StoredFile): Promise<TestNode[]> {
  const [asked] = nodes;
  assert.ok(asked !== undefined);
  const { nodes: told } = await durabilityAt(asked, hash);
  const placed = new Set(told.filter((one) => one.is_placed).map(({ node }) => node));
  const gone = nodes.filter((node) => placed.has(peerIdOf(node))).slice(0, 2);
  assert.equal(gone.length, 2);
  for (const node of gone) await node.stop();
  return nodes.filter((node) => !gone.includes(node));
}
