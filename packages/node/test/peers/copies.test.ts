import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { denyListOf, frameOf, loadPeerKey, startNetwork } from "@twentysix/network";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { networkHash } from "@twentysix/protocol";
import { createClient, createEvmAccount } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import { loadNetwork } from "../../src/index.ts";
import { eventually } from "../support/eventually.ts";
import { giveTokens } from "../support/funds.ts";
import { writeNetwork } from "../support/network-file.ts";
import { verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

const account = createEvmAccount({ privateKey: createHash("sha256").update("who stores copies").digest() });
const folder = temporaryFolder("copies");
after(() => folder[Symbol.dispose]());
const network = writeNetwork(folder.path, "local", {
  durability: { copies: 2, auditSeconds: 3, outageSeconds: 2 },
});

interface Durability {
  readonly copies_proven: number;
  readonly lost_if: readonly string[];
  readonly nodes: readonly { readonly node: string; readonly proven_at: string | null }[];
}

const clientOf = ({ apiUrl }: TestNode) => createClient({ apiUrl, createSha256: createNodeSha256 });
const holds = ({ dataDir }: TestNode, hash: string): boolean =>
  existsSync(join(dataDir, "contents", "files", hash.slice(0, 2), hash));
const holdersOf = (nodes: readonly TestNode[], hash: string): readonly TestNode[] =>
  nodes.filter((node) => holds(node, hash));
const durabilityAt = async ({ apiUrl }: TestNode, hash: string): Promise<Durability> =>
  (await (await fetch(`${apiUrl}/api/v1/files/${hash}/durability`)).json()) as Durability;

async function served(node: TestNode, hash: string, bytes: Buffer): Promise<void> {
  const raw = await fetch(`${node.apiUrl}/api/v0/storage/raw/${hash}`);
  assert.equal(raw.status, 200);
  assert.ok(Buffer.from(await raw.arrayBuffer()).equals(bytes));
}

describe("a network that keeps two copies of each file", { timeout: 240_000 }, () => {
  test("has two, serves all of them everywhere, and has two again when a holder is gone", async () => {
    const nodes: TestNode[] = [];
    for (let index = 0; index < 4; index += 1) {
      const peers = nodes.map(({ core }) => core.peerAddresses()[0] ?? "");
      nodes.push(await startTestNode({ p2pPort: 0, network, peers }));
    }
    after(async () => {
      for (const node of nodes) await node.remove();
    });
    const [first] = nodes;
    assert.ok(first !== undefined);
    await giveTokens(first, { [account.address]: 1_000 });
    const files: { readonly hash: string; readonly bytes: Buffer }[] = [];
    for (let index = 0; index < 4; index += 1) {
      const bytes = randomBytes(300_000 + index);
      const stored = await clientOf(first).storeFile({ account, file: new Blob([bytes]), sync: true });
      files.push({ hash: stored.fileHash, bytes });
      // On its way to everybody it is on two nodes for a moment, too.
      for (const node of nodes)
        await eventually(async () => (await clientOf(node).getStatus(stored))?.status === "processed");
    }
    for (const { hash } of files) await eventually(() => holdersOf(nodes, hash).length === 2);
    for (const { hash, bytes } of files) for (const node of nodes) await served(node, hash, bytes);
    // What was got to be served is given up again.
    for (const { hash } of files) await eventually(() => holdersOf(nodes, hash).length === 2);

    const [watched] = files;
    assert.ok(watched !== undefined);
    const [gone] = holdersOf(nodes, watched.hash);
    assert.ok(gone !== undefined);
    const survivors = nodes.filter((node) => node !== gone);
    const [asked] = survivors;
    assert.ok(asked !== undefined);
    const told = await durabilityAt(asked, watched.hash);
    assert.ok(told.copies_proven >= 1 && told.lost_if.length === told.copies_proven);
    await gone.stop();
    for (const { hash } of files) await eventually(() => holdersOf(survivors, hash).length === 2);
    for (const { hash, bytes } of files) for (const node of survivors) await served(node, hash, bytes);
    await asked.stop();
    const report = await verify(asked.dataDir, ["--network", network]);
    assert.deepEqual(report.problems, []);
  });

  test("counts on nobody who cannot prove what he claims, and a node that lost its copy gets it again", async () => {
    const first = await startTestNode({ p2pPort: 0, network });
    await using liar = await startLiar(first);
    const peers = [first.core.peerAddresses()[0] ?? "", liar.address];
    const nodes = [first, await startTestNode({ p2pPort: 0, network, peers })];
    nodes.push(await startTestNode({ p2pPort: 0, network, peers }));
    after(async () => {
      for (const node of nodes) await node.remove();
    });
    await giveTokens(first, { [account.address]: 1_000 });
    const hashes: string[] = [];
    for (let index = 0; index < 6; index += 1) {
      const file = new Blob([randomBytes(300_000)]);
      hashes.push((await clientOf(first).storeFile({ account, file, sync: true })).fileHash);
    }
    await eventually(() => liar.asked() >= 6);
    for (const hash of hashes) await eventually(() => holdersOf(nodes, hash).length === 2);
    for (const hash of hashes) {
      const { nodes: told } = await durabilityAt(first, hash);
      assert.equal(told.find(({ node }) => node === liar.peerId)?.proven_at ?? null, null);
    }
    const [hash] = hashes;
    assert.ok(hash !== undefined);
    const [loser] = holdersOf(nodes, hash);
    assert.ok(loser !== undefined);
    rmSync(join(loser.dataDir, "contents", "files", hash.slice(0, 2), hash));
    await eventually(() => holdersOf(nodes, hash).length === 2);
  });
});

/** A peer of the network that answers every challenge, with bytes of its own making. */
async function startLiar(first: TestNode) {
  const keys = temporaryFolder("liar");
  let asked = 0;
  const key = await loadPeerKey(keys.path, "ed25519");
  const definition = loadNetwork(network);
  const { topics, limits } = definition;
  const liar = await startNetwork({
    key,
    listen: ["/ip4/127.0.0.1/tcp/0"],
    announce: [],
    topics,
    bootstrap: first.core.peerAddresses(),
    apiUrl: null,
    version: "0.0.0",
    networkHash: networkHash(definition),
    mayAnnounce: () => true,
    maxFrameBytes: limits.gossipFrameBytes,
    isPrivate: true,
    denied: denyListOf([]),
    book: { read: async () => [], write: async () => undefined },
    onMessage: async () => "accept",
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
    log: createMemoryLogger(),
  });
  liar.streams.handle("/twentysix/proof/1.0.0", async (stream) => {
    asked += 1;
    await stream.send(frameOf(Uint8Array.of(1, 1)));
    await stream.send(frameOf(randomBytes(1_000)));
    await stream.end();
  });
  return {
    peerId: liar.peerId,
    address: liar.multiAddresses()[0] ?? "",
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      await liar.close();
      keys[Symbol.dispose]();
    },
  };
}
