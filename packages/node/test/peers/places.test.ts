import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { loadNetwork } from "../../src/index.ts";
import { eventually } from "../support/eventually.ts";
import { giveTokens, localAccount } from "../support/funds.ts";
import {
  clientOf,
  durabilityAt,
  holdersOf,
  holdsWhole,
  peerIdOf,
  type StoredFile,
  served,
  storeFiles,
  storer,
} from "../support/kept-files.ts";
import { writeNetwork } from "../support/network-file.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

const MIB = 1024 ** 2;
/** All nodes of a test are one process. */
const maxMemoryBytes = 8 * 1024 ** 3;

const folder = temporaryFolder("places");
after(() => folder[Symbol.dispose]());

async function startNodes(network: string, count: number): Promise<TestNode[]> {
  const nodes: TestNode[] = [];
  for (let index = 0; index < count; index += 1) {
    const peers = nodes.map(({ core }) => core.peerAddresses()[0] ?? "");
    nodes.push(await startTestNode({ p2pPort: 0, network, peers, maxMemoryBytes }));
  }
  after(async () => {
    for (const node of nodes) await node.remove();
  });
  return nodes;
}

async function metricOf({ apiUrl }: TestNode, name: string): Promise<number> {
  const text = await (await fetch(`${apiUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
}

describe("places of files", { timeout: 480_000 }, () => {
  test("a brief outage moves nothing", async () => {
    const network = writeNetwork(folder.path, "local", {
      durability: { copies: 2, auditSeconds: 2, outageSeconds: 60 },
    });
    const nodes = await startNodes(network, 3);
    const [first] = nodes;
    assert.ok(first !== undefined);
    await giveTokens(first, { [storer.address]: 1_000 });
    const files = await storeFiles(nodes, [100_000, 100_001, 100_002]);
    for (const { hash } of files) await eventually(() => holdersOf(nodes, hash).length === 2);
    const holders = files.map(({ hash }) => holdersOf(nodes, hash).map(peerIdOf));
    const gone = nodes.find((node) => node !== first && files.some(({ hash }) => holdsWhole(node, hash)));
    assert.ok(gone !== undefined);
    const survivors = nodes.filter((node) => node !== gone);
    const goneId = peerIdOf(gone);
    await gone.stop();
    // Audits of what is left go on: everything has been looked at since.
    const stoppedAt = new Date().toISOString();
    for (const { hash } of files)
      for (const node of survivors)
        await eventually(async () => {
          const { nodes: told } = await durabilityAt(node, hash);
          const others = survivors.filter((one) => one !== node && holdsWhole(one, hash)).map(peerIdOf);
          return others.every(
            (other) => (told.find((one) => one.node === other)?.proven_at ?? "") > stoppedAt,
          );
        });
    for (const [index, { hash }] of files.entries()) {
      const { nodes: told } = await durabilityAt(first, hash);
      const isHolder = holders[index]?.includes(goneId) ?? false;
      assert.equal(told.find(({ node }) => node === goneId)?.is_placed ?? false, isHolder);
    }
    await gone.restart();
    for (const { hash } of files)
      if (holdsWhole(gone, hash))
        await eventually(async () => {
          const { nodes: told } = await durabilityAt(first, hash);
          return (told.find(({ node }) => node === goneId)?.proven_at ?? "") > stoppedAt;
        });
    for (const node of survivors) assert.equal(await metricOf(node, "twentysix_repairs_total"), 0);
    assert.deepEqual(
      files.map(({ hash }) => holdersOf(nodes, hash).map(peerIdOf)),
      holders,
    );
  });

  test("two nodes of one operator get one place between them", async () => {
    const network = writeNetwork(folder.path, "local", {
      durability: { copies: 2, auditSeconds: 2, outageSeconds: 60 },
    });
    const nodes = await startNodes(network, 3);
    const [first, second, third] = nodes;
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    const { registry } = loadNetwork(network).authorities;
    const registered = [first, second].map((node, index) => ({
      owner: "0x00000000000000000000000000000000000000AA",
      time: index,
      multiaddress: `/ip4/127.0.0.1/tcp/4025/p2p/${peerIdOf(node)}`,
    }));
    await clientOf(first).createAggregate({
      account: localAccount(registry.address),
      key: registry.key,
      content: { nodes: registered },
      sync: true,
    });
    await giveTokens(first, { [storer.address]: 1_000 });
    const files = await storeFiles(nodes, [50_000, 50_001, 50_002, 50_003, 50_004, 50_005]);
    for (const { hash } of files) {
      await eventually(async () => {
        const { nodes: told } = await durabilityAt(third, hash);
        return told.filter(({ domain }) => domain === registered[0]?.owner).length === 2;
      });
      // If the two counted as two, both copies of one of the six would be theirs in nine of ten runs.
      await eventually(() => holdsWhole(third, hash) && holdersOf(nodes, hash).length === 2);
    }
  });

  test("a node with a small disk gives up what three others hold, oldest first, and still serves it", async () => {
    const network = writeNetwork(folder.path, "local", {
      durability: { copies: null, auditSeconds: 4, outageSeconds: 60 },
    });
    const nodes = await startNodes(network, 3);
    const [first] = nodes;
    assert.ok(first !== undefined);
    const peers = nodes.map(({ core }) => core.peerAddresses()[0] ?? "");
    const settings = { p2pPort: 0, network, peers, maxMemoryBytes, maxDiskBytes: 30 * MIB };
    const small = await startTestNode(settings);
    nodes.push(small);
    await giveTokens(first, { [storer.address]: 1_000 });
    const files: StoredFile[] = [];
    for (let index = 0; index < 16; index += 4) {
      files.push(
        ...(await storeFiles(
          nodes,
          [0, 1, 2, 3].map((more) => 2 * MIB + index + more),
        )),
      );
      const used = await metricOf(small, "twentysix_disk_used_bytes");
      assert.ok(used <= 30 * MIB, `${used} bytes are used`);
    }
    const hasRoom = async () => (await metricOf(small, "twentysix_disk_used_bytes")) < 24 * MIB;
    await eventually(hasRoom);
    const whole = files.filter(({ hash }) => holdsWhole(small, hash));
    assert.ok(whole.length < 14, `${whole.length} of 16 files are left`);
    for (const file of files) {
      assert.equal(holdersOf(nodes.slice(0, 3), file.hash).length, 3);
      await eventually(async () => (await fetch(`${small.apiUrl}/api/v0/storage/raw/${file.hash}`)).ok);
      await served(small, file);
    }
    // What it got again to serve it is given up again.
    await eventually(hasRoom);
    const stored = await clientOf(small).storeFile({
      account: storer,
      file: new Blob([new Uint8Array(1_000)]),
      sync: true,
    });
    assert.ok(holdsWhole(small, stored.fileHash), "new work is taken");
  });
});
