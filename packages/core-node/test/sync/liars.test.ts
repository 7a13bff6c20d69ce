import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import {
  ByteWriter,
  encodeLeaves,
  encodeNodes,
  frameOf,
  framesOf,
  PeerFault,
  type PeerStream,
} from "@twentysix/network/reconcile";
import { MemoryNetwork, type MemoryPeer } from "@twentysix/network/test-streams";
import type { Skeleton } from "@twentysix/state";
import fc from "fast-check";
import { writeSkeleton } from "../../src/archive/skeleton-line.ts";
import {
  ANSWER,
  REQUEST,
  SYNC_PROTOCOL,
  syncIdentity,
  type Welcome,
  writeHello,
} from "../../src/sync/sync-protocol.ts";
import { evm, forget, post, solana } from "../pipeline/support/signed.ts";
import { networkDefinition } from "../pipeline/support/state-harness.ts";
import { type SyncNode, syncNode } from "./support/sync-node.ts";

const local = networkDefinition("local");
const identity = syncIdentity(local);
const T = 1_700_000_000;
const LAST = ANSWER.last;

type Part = readonly [status: number, payload: Uint8Array];
/** What a liar answers to a request, by its kind; nothing: it is silent. */
type Lies = Readonly<Record<number, (payload: Uint8Array) => readonly Part[]>>;

const { signal } = new AbortController();
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const welcome = (changes: Partial<Record<keyof Welcome, unknown>> = {}): Part => [
  LAST,
  json({
    ...identity,
    count: 1,
    root: "ab".repeat(32),
    treeSeq: 0,
    lastSeq: 0,
    isSyncing: false,
    isReady: true,
    ...changes,
  }),
];
const lines = (...texts: readonly string[]): readonly Part[] => [
  [ANSWER.more, Buffer.from(`${texts.join("\n")}\n`)],
  [LAST, new ByteWriter().u32(1).finish()],
];
const leaf = { key: "cd".repeat(32), digest: "ef".repeat(32) };
const logOf = (...keys: readonly string[]): readonly Part[] => [
  [
    LAST,
    new ByteWriter()
      .u64(1)
      .u8(1)
      .bytes(encodeLeaves(keys.map((key) => ({ key, digest: leaf.digest }))))
      .finish(),
  ],
];

function liar(peer: MemoryPeer, lies: Lies): void {
  peer.streams.handle(SYNC_PROTOCOL, async (stream: PeerStream) => {
    for await (const frame of framesOf(stream.source, 1_000_000)) {
      const answer = lies[frame[0] ?? 0]?.(frame.subarray(1)) ?? [];
      for (const [status, payload] of answer)
        await stream.send(frameOf(new ByteWriter().u8(status).bytes(payload).finish()));
    }
  });
}

async function withLiar(
  lies: Lies,
): Promise<{ readonly node: SyncNode; readonly network: MemoryNetwork } & AsyncDisposable> {
  const network = new MemoryNetwork();
  const node = await syncNode(network, "honest", local);
  liar(network.peer("liar"), lies);
  return { node, network, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

/** Lies that break the rules, and what is said of them. */
const BREACHES: readonly (readonly [what: string, lies: Lies, reason: RegExp])[] = [
  ["says no welcome", { 1: () => [[LAST, json([1])]] }, /no welcome/],
  ["has figures that are none", { 1: () => [welcome({ count: -1 })] }, /figures/],
  ["answers with a kind that is none", { 1: () => [[9, json({})]] }, /kind 9/],
  [
    "tells of a log that does not go on",
    { 1: () => [welcome({ lastSeq: 9 })], 4: () => [[LAST, new ByteWriter().u64(0).u8(0).finish()]] },
    /does not go on/,
  ],
  [
    "sends half a key",
    { 1: () => [welcome({ lastSeq: 9 })], 4: () => [[LAST, new ByteWriter().u64(1).u8(1).u8(32).finish()]] },
    /less than it said/,
  ],
  [
    "splits ranges without end",
    {
      1: () => [welcome()],
      2: (asked) => {
        // Every prefix takes two bytes at least.
        const children = Array.from({ length: 16 }, () => randomBytes(8).toString("hex"));
        const count = prefixesIn(asked);
        return [
          [LAST, encodeNodes(Array.from({ length: count }, () => ({ kind: "inner" as const, children })))],
        ];
      },
    },
    /more differences/,
  ],
  [
    "answers none of what was asked",
    {
      1: () => [welcome({ lastSeq: 9 })],
      4: () => logOf(leaf.key),
      6: () => [[LAST, new ByteWriter().u32(0).finish()]],
    },
    /none of what was asked/,
  ],
  [
    "sends what is no message",
    { 1: () => [welcome({ lastSeq: 9 })], 4: () => logOf(leaf.key), 6: () => lines('{"a":1}') },
    /nobody can accept/,
  ],
  [
    "sends a forged message",
    {
      1: () => [welcome({ lastSeq: 9 })],
      4: () => logOf(leaf.key),
      6: () =>
        lines(
          post(evm("liar"), T, "a")
            .text.replace("liar", "lair")
            .replace('"signature":"0x', '"signature":"0x11'),
        ),
    },
    /nobody can accept/,
  ],
  [
    "sends a file among messages",
    {
      1: () => [welcome({ lastSeq: 9 })],
      4: () => logOf(leaf.key),
      6: () => lines('{"stored_file":"x","form":"bytes","part":0,"is_last":true,"base64":""}'),
    },
    /file among messages/,
  ],
];

/** Prefixes in a request, each a length and its digits. */
function prefixesIn(payload: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < payload.length; at += 1 + Math.ceil((payload[at] ?? 0) / 2)) count += 1;
  return count;
}

describe("a peer that breaks the rules bears the costs", { timeout: 240_000 }, () => {
  test("and nobody else does", async () => {
    for (const [what, lies, reason] of BREACHES) {
      await using world = await withLiar(lies);
      world.network.connect("honest", "liar");
      await assert.rejects(world.node.sync.visit("liar"), PeerFault, what);
      assert.match(world.node.faults[0]?.[1] ?? "", reason, what);
      assert.equal((await world.node.pipeline.stateRoot()).count, 0);
    }
  });

  test("but not one that follows another network", async () => {
    await using world = await withLiar({ 1: () => [welcome({ network: "another" })] });
    world.network.connect("honest", "liar");
    await assert.rejects(world.node.sync.visit("liar"), /another network/);
    assert.deepEqual(world.node.faults, []);
  });

  test("whatever it answers, a visit ends and the node goes on", async () => {
    const answers: { next: Uint8Array[] } = { next: [] };
    const anything = (): readonly Part[] => [[LAST, answers.next.shift() ?? Buffer.alloc(0)]];
    await using world = await withLiar({
      1: () => [welcome({ lastSeq: 5 })],
      2: anything,
      3: anything,
      4: anything,
      5: anything,
      6: anything,
    });
    world.network.connect("honest", "liar");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 200, size: "max" }), { maxLength: 6 }),
        async (list) => {
          answers.next = [...list];
          await world.node.sync
            .visit("liar")
            .catch((error: unknown) => assert.ok(error instanceof PeerFault, String(error)));
        },
      ),
      { numRuns: 100 },
    );
    const [result] = await world.node.submit(post(evm("honest author"), T, "still here").text);
    assert.equal(result?.status, "processed");
  });
});

describe("a visitor that breaks the rules", { timeout: 240_000 }, () => {
  test("is shown out, and told of", async () => {
    const network = new MemoryNetwork();
    await using node = await syncNode(network, "honest", local);
    const visitor = network.peer("visitor");
    network.connect("honest", "visitor");
    const hello = new ByteWriter()
      .u8(REQUEST.hello)
      .bytes(writeHello({ ...identity, salt: randomBytes(16) }))
      .finish();
    const requests: (readonly Uint8Array[])[] = [
      [Buffer.from([REQUEST.nodes, 0])],
      [Buffer.from([99])],
      [Buffer.alloc(0)],
      [hello, Buffer.from([99])],
      [hello, Buffer.from([REQUEST.nodes, 200])],
      [hello, Buffer.from([REQUEST.bodies, 32, 1, 2])],
      [hello, Buffer.from([REQUEST.leaves, 0, 255, 255])],
    ];
    for (const [index, list] of requests.entries()) {
      const stream = await visitor.streams.open("honest", SYNC_PROTOCOL, new AbortController().signal);
      for (const request of list) await stream.send(frameOf(request));
      await assert.rejects(
        Array.fromAsync(framesOf(stream.source, 1_000_000)),
        /broke off/,
        `request ${index}`,
      );
      assert.equal(node.faults.length, index + 1);
    }
    // It is still answered when it keeps to them.
    const stream = await visitor.streams.open("honest", SYNC_PROTOCOL, new AbortController().signal);
    await stream.send(frameOf(hello));
    await stream.end();
    const answers = await Array.fromAsync(framesOf(stream.source, 1_000_000));
    assert.equal(answers[0]?.[0], ANSWER.last);
  });

  test("stays no longer than two visits at once", async () => {
    const network = new MemoryNetwork();
    await using node = await syncNode(network, "honest", local);
    const visitor = network.peer("visitor");
    network.connect("honest", "visitor");
    const { signal } = new AbortController();
    const open = () => visitor.streams.open("honest", SYNC_PROTOCOL, signal);
    const held = [await open(), await open()];
    const third = await open();
    await third.send(frameOf(Buffer.from([REQUEST.hello])));
    const [answer] = await Array.fromAsync(framesOf(third.source, 1_000_000));
    assert.equal(answer?.[0], ANSWER.refused);
    for (const stream of held) stream.abort(new Error("enough"));
    assert.deepEqual(node.faults, []);
  });
});

describe("what is told of forgotten messages", { timeout: 240_000 }, () => {
  const owner = evm("robbed");
  const thief = solana("thief");
  const live = post(owner, T, "not for sale");
  /** Signed by its sender, as it must be; whose it is, is the liar's word. */
  const skeleton: Skeleton = {
    hash: live.hash,
    message: {
      type: "POST",
      chain: "ETH",
      sender: owner.address,
      owner: thief.address,
      channel: "TEST",
      label: "note",
      itemType: "inline",
      paymentType: "hold",
      signature: JSON.parse(live.text).signature as string,
      timeMicros: BigInt(T) * 1_000_000n,
      contentTimeMicros: BigInt(T) * 1_000_000n,
      size: 100,
      contentHash: null,
      parent: null,
      revises: false,
      forgottenMicros: null,
    },
  };
  const lie = [writeSkeleton(skeleton), forget(thief, T + 1, [live.hash]).text];
  const lies: Lies = {
    1: () => [welcome({ lastSeq: 9 })],
    2: () => [[LAST, encodeNodes([{ kind: "none" }])]],
    4: () => logOf(live.hash),
    5: () => [[LAST, new ByteWriter().u8(1).hex(leaf.digest).finish()]],
    6: () => lines(...lie),
  };

  test("is believed of a peer that is the only one", async () => {
    await using world = await withLiar(lies);
    world.network.connect("honest", "liar");
    await world.node.sync.visit("liar");
    assert.deepEqual(await world.node.tree.statuses([live.hash], signal), ["forgotten"]);
  });

  test("is not believed where another peer knows better", async () => {
    await using world = await withLiar(lies);
    await using witness = await syncNode(world.network, "witness", local);
    await witness.submit(live.text);
    // Visited in this order, and while both are there.
    world.network.connect("honest", "liar");
    world.network.connect("honest", "witness");
    while (world.node.sync.statistics().visits < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(world.node.faults, []);
    assert.deepEqual(await world.node.tree.statuses([live.hash], signal), ["processed"]);
  });
});
