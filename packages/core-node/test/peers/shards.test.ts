import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { connected, type TestPeer, testPeer } from "@twentysix/network/test-network";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { BlobError, ContentStore, cutShards, FileNamer, type KeptFileRecord } from "@twentysix/storage";
import { FileHolds } from "../../src/content/file-holds.ts";
import { workingFilesOnDisk } from "../../src/content/working-files.ts";
import { CONTENT_PROTOCOL, readRequest, sendBytes, sendHead } from "../../src/peers/content-protocol.ts";
import { ShardFetcher } from "../../src/peers/shards/shard-fetcher.ts";
import { ShardGatherer } from "../../src/peers/shards/shard-gatherer.ts";
import type { ShardNaming } from "../../src/peers/shards/shard-list.ts";
import { SourceCredit } from "../../src/peers/sources/source-credit.ts";

const CODE = { dataShards: 2, totalShards: 4 };
const FILE = randomBytes(500_001);
const OTHER = randomBytes(500_001);
const HASH = createHash("sha256").update(FILE).digest("hex");
const never = new AbortController().signal;

interface Cut {
  readonly naming: ShardNaming;
  readonly shards: readonly Buffer[];
}

async function cut(bytes: Buffer): Promise<Cut> {
  const pieces: Buffer[][] = [[], [], [], []];
  for await (const cells of cutShards([bytes], CODE, [0, 1, 2, 3]))
    for (const [position, cell] of cells) pieces[position]?.push(Buffer.from(cell));
  const shards = pieces.map((one) => Buffer.concat(one));
  const names = shards.map((shard) => {
    const namer = new FileNamer(["sha256", "fixedCid"]);
    namer.update(shard);
    const { sha256 = "", fixedCid = "" } = namer.finish();
    return { sha256, cid: fixedCid };
  });
  return { shards, naming: { ...CODE, codedBytes: bytes.byteLength, shards: names } };
}

interface Behaviour {
  /** What it names, and gives. */
  readonly cut: Cut;
  readonly held: readonly number[];
  readonly give?: (shard: Buffer) => Buffer;
}

/** A peer that holds shards, or says so. */
async function keeper({ cut: { naming, shards }, held, give = (shard) => shard }: Behaviour) {
  const peer = await testPeer();
  const given: number[] = [];
  peer.network.streams.handle(CONTENT_PROTOCOL, async (stream) => {
    const { part, position = 0 } = await readRequest(stream);
    if (part === "shards") {
      const list = Buffer.from(JSON.stringify({ ...naming, held }));
      await sendHead(stream, { state: "found", form: "shards", size: list.byteLength });
      await sendBytes(stream, [list]);
    } else if (part === "shard" && held.includes(position)) {
      given.push(position);
      const shard = give(shards[position] ?? Buffer.alloc(0));
      await sendHead(stream, { state: "found", form: "bytes", size: shard.byteLength });
      await sendBytes(stream, [shard]);
    } else await sendHead(stream, { state: "absent" });
    await stream.end();
  });
  return {
    peerId: peer.network.peerId,
    address: peer.address,
    given,
    [Symbol.asyncDispose]: () => peer.network.close(),
  };
}

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twentysix-shards-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** What this node knows of the shards. */
const recordOf = (naming: ShardNaming): KeptFileRecord => ({
  id: 1,
  name: HASH,
  root: null,
  furtherName: null,
  sizeBytes: FILE.byteLength,
  damage: "elsewhere",
  isContent: false,
  proofs: [],
  coding: {
    ...naming,
    shards: naming.shards.map((names, position) => ({ ...names, position, isHeld: false, proofs: [] })),
  },
});

async function fetchFrom(
  peer: TestPeer,
  known: KeptFileRecord | null,
): Promise<{
  readonly file: Buffer | null;
  readonly credit: SourceCredit;
  readonly staged: readonly string[];
}> {
  const clock = createSystemClock();
  const timers = createSystemTimers();
  const credit = new SourceCredit(clock, createSystemRandom());
  const log = createMemoryLogger();
  await using contents = await ContentStore.open({ folder: join(folder, "contents"), timers });
  const shared = { streams: peer.network.streams, maxFileBytes: 1_000_000, clock, timers, credit, log };
  const gatherer = new ShardGatherer({
    files: workingFilesOnDisk,
    ...shared,
    contents,
    holds: new FileHolds(),
    folder: join(folder, "staging"),
    reserveDisk: () => ({ grow: () => undefined, [Symbol.dispose]: () => undefined }),
    likely: () => [],
  });
  const fetcher = new ShardFetcher({ ...shared, gatherer, records: { keptFile: async () => known } });
  let file: Buffer | null = null;
  await fetcher.fetch(
    HASH,
    async (hash, read) => {
      const all = Buffer.concat(await Array.fromAsync(read()));
      if (createHash("sha256").update(all).digest("hex") !== hash)
        throw new BlobError("BLOB_HASH_MISMATCH", "another file");
      file = all;
      return { hash, sizeBytes: all.byteLength, type: "file", sha256: hash, cid: null };
    },
    never,
  );
  return { file, credit, staged: await readdir(join(folder, "staging")).catch(() => []) };
}

async function among(keepers: readonly { readonly address: string }[]): Promise<TestPeer> {
  const peer = await testPeer({ bootstrap: keepers.map(({ address }) => address) });
  await connected(peer, keepers.length);
  return peer;
}

describe("a file in shards", { timeout: 60_000 }, () => {
  test("is made of any two, and nothing is left of them", async () => {
    const right = await cut(FILE);
    await using first = await keeper({ cut: right, held: [3] });
    await using second = await keeper({ cut: right, held: [2] });
    await using peer = await among([first, second]);
    for (const known of [null, recordOf(right.naming)]) {
      const { file, staged, credit } = await fetchFrom(peer, known);
      assert.ok(file?.equals(FILE));
      assert.deepEqual(staged, []);
      assert.equal(credit.faults, 0);
    }
  });

  test("is not made of one", async () => {
    const right = await cut(FILE);
    await using first = await keeper({ cut: right, held: [3] });
    await using second = await keeper({ cut: right, held: [3] });
    await using peer = await among([first, second]);
    const { file, staged } = await fetchFrom(peer, recordOf(right.naming));
    assert.equal(file, null);
    assert.deepEqual(staged, []);
  });

  test("comes although a peer sends other bytes for a shard, which costs that peer its credit", async () => {
    const right = await cut(FILE);
    const lie = (shard: Buffer): Buffer => Buffer.alloc(shard.byteLength, 7);
    await using liar = await keeper({ cut: right, held: [0, 1], give: lie });
    await using first = await keeper({ cut: right, held: [1] });
    await using second = await keeper({ cut: right, held: [2] });
    await using peer = await among([liar, first, second]);
    let isCaught = false;
    // Whom it asks first is chance.
    while (!isCaught) {
      const { file, credit } = await fetchFrom(peer, recordOf(right.naming));
      assert.ok(file?.equals(FILE));
      assert.equal(credit.faultsOf(first.peerId) + credit.faultsOf(second.peerId), 0);
      isCaught = credit.faultsOf(liar.peerId) > 0;
    }
  });

  test("comes to whoever knows nothing of it although a peer names the shards of another", async () => {
    const right = await cut(FILE);
    const wrong = await cut(OTHER);
    await using liar = await keeper({ cut: wrong, held: [0, 1] });
    await using first = await keeper({ cut: right, held: [0] });
    await using second = await keeper({ cut: right, held: [1] });
    await using peer = await among([liar, first, second]);
    let isCaught = false;
    while (!isCaught) {
      const { file, credit } = await fetchFrom(peer, null);
      assert.ok(file?.equals(FILE));
      assert.equal(credit.faultsOf(first.peerId) + credit.faultsOf(second.peerId), 0);
      isCaught = credit.faultsOf(liar.peerId) > 0;
    }
    // Who knows the shards does not ask who names others.
    const before = liar.given.length;
    assert.ok((await fetchFrom(peer, recordOf(right.naming))).file?.equals(FILE));
    assert.equal(liar.given.length, before);
  });

  test("does not come from lists that make no sense", async () => {
    const right = await cut(FILE);
    const broken: readonly Partial<Record<keyof ShardNaming, unknown>>[] = [
      { codedBytes: 10_000_000 },
      { dataShards: 4 },
      { totalShards: 3 },
      { totalShards: 65 },
      { shards: [{ sha256: "no", cid: "no" }] },
      { shards: null },
      { codedBytes: -1 },
    ];
    for (const change of broken) {
      const naming = { ...right.naming, ...change } as ShardNaming;
      await using liar = await keeper({ cut: { ...right, naming }, held: [0, 1] });
      await using peer = await among([liar]);
      assert.equal((await fetchFrom(peer, null)).file, null, JSON.stringify(change));
    }
  });
});
