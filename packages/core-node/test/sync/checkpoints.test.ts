import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ByteWriter, encodeNodes, frameOf, framesOf, type PeerStream } from "@twentysix/network/reconcile";
import { MemoryNetwork, type MemoryPeer } from "@twentysix/network/test-streams";
import { createSystemTimers } from "@twentysix/platform";
import { workingFilesOnDisk } from "../../src/content/working-files.ts";
import { type CheckpointStatement, checkpointJson, signCheckpoint } from "../../src/sync/checkpoint.ts";
import { checkpointFile, KeptCheckpoints } from "../../src/sync/kept-checkpoints.ts";
import { ANSWER, REQUEST, SYNC_PROTOCOL, syncIdentity } from "../../src/sync/sync-protocol.ts";
import { evm, post } from "../pipeline/support/signed.ts";
import { networkDefinition } from "../pipeline/support/state-harness.ts";
import { type SyncNode, type SyncNodeOptions, syncNode } from "./support/sync-node.ts";

const local = networkDefinition("local");
const T = 1_700_000_000;
const timers = createSystemTimers();
const PLACE = 7;
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** A peer without a message that says it is at that place of its log; what it signs is up to each story. */
function servesNothing(peer: MemoryPeer, checkpoint: () => Promise<Uint8Array>): void {
  const welcome = {
    ...syncIdentity(local),
    ...{
      count: 0,
      root: "ab".repeat(32),
      treeSeq: PLACE,
      lastSeq: PLACE,
      isSyncing: false,
      isReady: true,
      signs: true,
    },
  };
  peer.streams.handle(SYNC_PROTOCOL, async (stream: PeerStream) => {
    for await (const frame of framesOf(stream.source, 1_000_000)) {
      const answer = await answerTo(frame[0] ?? 0);
      await stream.send(frameOf(new ByteWriter().u8(ANSWER.last).bytes(answer).finish()));
    }
  });
  const answerTo = async (kind: number): Promise<Uint8Array> => {
    if (kind === REQUEST.hello) return json(welcome);
    if (kind === REQUEST.nodes) return encodeNodes([{ kind: "none" }]);
    if (kind === REQUEST.log) return new ByteWriter().u64(PLACE).u8(1).finish();
    return await checkpoint();
  };
}

const statementOf = (peer: MemoryPeer, changes: Partial<CheckpointStatement> = {}): CheckpointStatement => ({
  ...syncIdentity(local),
  ...{ peerId: peer.peerId, root: "cd".repeat(32), messagesRoot: "ef".repeat(32) },
  ...{ count: 1, position: PLACE, timeSeconds: T },
  ...changes,
});

async function signed(peer: MemoryPeer, changes: Partial<CheckpointStatement> = {}): Promise<Uint8Array> {
  return json(checkpointJson(await signCheckpoint(statementOf(peer, changes), peer.signatures)));
}

async function withPeer(
  checkpoint: (peer: MemoryPeer) => Promise<Uint8Array>,
  options: SyncNodeOptions = {},
): Promise<{ readonly node: SyncNode; readonly peer: MemoryPeer } & AsyncDisposable> {
  const network = new MemoryNetwork();
  const node = await syncNode(network, "honest", local, options);
  const peer = network.peer("peer");
  servesNothing(peer, () => checkpoint(peer));
  // It is visited at once.
  network.connect("honest", "peer");
  while (node.sync.statistics().visits === 0) await timers.sleep(5);
  return { node, peer, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

describe("what a node signs of its state", { timeout: 60_000 }, () => {
  test("is kept by whoever caught up, says that both have one root, and outlives a restart", async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "twentysix-checkpoints-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const network = new MemoryNetwork();
    const one = stack.use(await syncNode(network, "one", local));
    const author = evm("checkpoint author");
    await one.submit(...[1, 2, 3].map((n) => post(author, T + n, `message ${n}`).text));
    {
      await using other = await syncNode(network, "other", local, { folder });
      network.connect("one", "other");
      await other.sync.visit("one");
      const { own, peers } = await other.sync.checkpoints.shown();
      const root = await one.root();
      assert.equal(peers[0]?.verdict, "same");
      assert.equal(peers[0]?.peer_id, "one");
      assert.partialDeepStrictEqual(own, { statement: { root, peer_id: "other", count: 3 } });
      assert.partialDeepStrictEqual(peers[0], { checkpoint: { statement: { root, count: 3 } } });
    }
    const kept = new KeptCheckpoints(
      checkpointFile(workingFilesOnDisk, join(folder, "checkpoints.json"), assert.ifError),
    );
    assert.equal((await kept.of("one"))?.checkpoint.statement.root, await one.root());
  });
});

describe("a peer that signs", { timeout: 60_000 }, () => {
  test("for more than it serves is told, and what it signed is kept as evidence", async () => {
    await using world = await withPeer((peer) => signed(peer));
    while (world.node.faults.length === 0) await timers.sleep(5);
    assert.match(world.node.faults[0]?.[1] ?? "", /signed 1 messages .* what it serves makes 0 messages/);
    assert.equal(world.node.sync.statistics().faults, 1);
    const { peers } = await world.node.sync.checkpoints.shown();
    assert.equal(peers[0]?.verdict, "false");
    const { position } = statementOf(world.peer);
    assert.partialDeepStrictEqual(peers[0], { checkpoint: { statement: { position, count: 1 } } });
  });

  test("for less than this node has is told of nothing", async () => {
    const network = new MemoryNetwork();
    await using node = await syncNode(network, "honest", local);
    await node.submit(post(evm("checkpoint author"), T, "known to one").text);
    const peer = network.peer("peer");
    servesNothing(peer, () => signed(peer, { count: 0 }));
    network.connect("honest", "peer");
    while (node.sync.statistics().visits === 0) await timers.sleep(5);
    assert.equal((await node.sync.checkpoints.shown()).peers[0]?.verdict, "other");
    assert.deepEqual(node.faults, []);
  });

  test("two roots for one place of its log has contradicted itself", async () => {
    const roots = ["11", "22"];
    let aheadSeconds = 0;
    await using world = await withPeer(
      (peer) => signed(peer, { position: 3, messagesRoot: (roots.shift() ?? "").repeat(32) }),
      { aheadSeconds: () => aheadSeconds },
    );
    aheadSeconds = 3_600; // It is not asked at every visit.
    await assert.rejects(world.node.sync.visit("peer"), /two roots for the place 3/);
    const [kept] = (await world.node.sync.checkpoints.shown()).peers;
    assert.partialDeepStrictEqual(kept, {
      checkpoint: { statement: { messages_root: "22".repeat(32), position: 3 } },
      contradicts: { statement: { messages_root: "11".repeat(32), position: 3 } },
    });
  });

  test("nothing, or for another one, or another network, or not at all, is told", async () => {
    const forged = async (peer: MemoryPeer): Promise<Uint8Array> => {
      const { signature } = await signCheckpoint(statementOf(peer), peer.signatures);
      return json(checkpointJson({ statement: statementOf(peer, { count: 9 }), signature }));
    };
    const cases: readonly (readonly [(peer: MemoryPeer) => Promise<Uint8Array>, RegExp])[] = [
      [async () => json({ statement: {} }), /no checkpoint/],
      [async () => Buffer.from("{"), /no checkpoint/],
      [(peer) => signed(peer, { root: "AB" }), /no checkpoint/],
      [(peer) => signed(peer, { count: -1 }), /no checkpoint/],
      [(peer) => signed(peer, { peerId: "somebody" }), /of another one/],
      [(peer) => signed(peer, { network: "another" }), /of another network/],
      [forged, /did not sign/],
    ];
    const network = new MemoryNetwork();
    await using node = await syncNode(network, "honest", local);
    for (const [index, [checkpoint, reason]] of cases.entries()) {
      const peer = network.peer(`peer ${index}`);
      servesNothing(peer, () => checkpoint(peer));
      network.connect("honest", peer.peerId);
      while (node.faults.length <= index) await timers.sleep(5);
      assert.match(node.faults[index]?.[1] ?? "", reason);
    }
    const silent = network.peer("silent");
    servesNothing(silent, async () => new Uint8Array());
    network.connect("honest", "silent");
    while (node.sync.statistics().visits <= cases.length) await timers.sleep(5);
    assert.equal(node.faults.length, cases.length);
    assert.deepEqual((await node.sync.checkpoints.shown()).peers, []);
  });
});
