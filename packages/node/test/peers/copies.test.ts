import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type FalseClaim, isFalseClaimOf } from "@twentysix/core-node";
import { eventually } from "../support/eventually.ts";
import { giveTokens } from "../support/funds.ts";
import { clientOf, durabilityAt, holdersOf, served, storeFiles, storer } from "../support/kept-files.ts";
import { startLiar } from "../support/lying-peer.ts";
import { writeNetwork } from "../support/network-file.ts";
import { verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

const folder = temporaryFolder("copies");
after(() => folder[Symbol.dispose]());
const network = writeNetwork(folder.path, "local", {
  durability: { copies: 2, auditSeconds: 3, outageSeconds: 2 },
});

describe("a network that keeps two copies of each file", { timeout: 480_000 }, () => {
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
    await giveTokens(first, { [storer.address]: 1_000 });
    const files = await storeFiles(nodes, [300_000, 300_001, 300_002, 300_003]);
    for (const { hash } of files) await eventually(() => holdersOf(nodes, hash).length === 2);
    for (const file of files) for (const node of nodes) await served(node, file);
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
    for (const file of files) for (const node of survivors) await served(node, file);
    await asked.stop();
    const report = await verify(asked.dataDir, ["--network", network]);
    assert.deepEqual(report.problems, []);
  });

  test("counts on nobody who cannot prove what he claims, and a node that lost its copy gets it again", async () => {
    const first = await startTestNode({ p2pPort: 0, network });
    await using liar = await startLiar(network, first.core.peerAddresses());
    const peers = [first.core.peerAddresses()[0] ?? "", liar.address];
    const nodes = [first, await startTestNode({ p2pPort: 0, network, peers })];
    nodes.push(await startTestNode({ p2pPort: 0, network, peers }));
    after(async () => {
      for (const node of nodes) await node.remove();
    });
    await giveTokens(first, { [storer.address]: 1_000 });
    const hashes: string[] = [];
    for (let index = 0; index < 6; index += 1) {
      const file = new Blob([randomBytes(300_000)]);
      hashes.push((await clientOf(first).storeFile({ account: storer, file, sync: true })).fileHash);
    }
    await eventually(() => liar.asked() >= 1);
    for (const hash of hashes) await eventually(() => holdersOf(nodes, hash).length === 2);
    const caught = (): Promise<boolean[]> =>
      Promise.all(hashes.map(async (hash) => (await durabilityAt(first, hash)).faults.length > 0));
    await eventually(async () => (await caught()).some((isCaught) => isCaught));
    for (const hash of hashes) {
      const { nodes: told, faults } = await durabilityAt(first, hash);
      assert.equal(told.find(({ node }) => node === liar.peerId)?.proven_at ?? null, null);
      for (const { node, kind, evidence } of faults) {
        assert.deepEqual([node, kind], [liar.peerId, "false-claim"]);
        assert.ok(await isFalseClaimOf(liar.peerId, evidence as FalseClaim), "anyone can check it");
        const { claim, way } = evidence as FalseClaim;
        assert.ok(!(await isFalseClaimOf(liar.peerId, { way, claim: { ...claim, sizeBytes: 1 } })));
      }
    }
    await eventually(() => liar.peers().length === 0);
    const metrics = await (await fetch(`${first.apiUrl}/metrics`)).text();
    assert.match(metrics, /twentysix_barred_peers 1/);
    assert.match(metrics, /twentysix_peer_faults_total\{kind="false-claim"\} [1-9]/);
    const [hash] = hashes;
    assert.ok(hash !== undefined);
    const [loser] = holdersOf(nodes, hash);
    assert.ok(loser !== undefined);
    rmSync(join(loser.dataDir, "contents", "files", hash.slice(0, 2), hash));
    await eventually(() => holdersOf(nodes, hash).length === 2);
  });
});
