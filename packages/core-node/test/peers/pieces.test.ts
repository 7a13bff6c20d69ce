import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { PeerStream } from "@twentysix/network";
import { connected, type TestPeer, testPeer } from "@twentysix/network/test-network";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { BlobError } from "@twentysix/storage";
import { ApiError } from "../../src/api/errors.ts";
import { workingFilesOnDisk } from "../../src/content/working-files.ts";
import {
  CONTENT_PROTOCOL,
  type ContentRequest,
  readRequest,
  sendBytes,
  sendHead,
} from "../../src/peers/content-protocol.ts";
import { leavesOf } from "../../src/peers/pieces/leaves.ts";
import { PiecewiseFetcher } from "../../src/peers/pieces/piecewise-fetcher.ts";
import { SourceCredit } from "../../src/peers/sources/source-credit.ts";

const SIZE_BYTES = 20 * 1024 * 1024 + 77;
const FILE = randomBytes(SIZE_BYTES);
const OTHER = randomBytes(SIZE_BYTES);
const HASH = createHash("sha256").update(FILE).digest("hex");
const never = new AbortController().signal;

interface Giver extends AsyncDisposable {
  readonly peerId: string;
  readonly address: string;
  /** Bytes that it was asked for. */
  readonly askedBytes: () => number;
}

interface Behaviour {
  /** What it takes for the file. */
  readonly file?: Buffer;
  readonly tellsLeaves?: boolean;
  readonly givesBytes?: boolean;
  /** Who has the file has to read it first. */
  readonly leavesAfterMs?: number;
  /** Does something before it sends a piece. */
  readonly before?: (request: ContentRequest, stream: PeerStream) => Promise<void>;
}

/** A peer that has a file, or says so. */
async function giver({
  file = FILE,
  tellsLeaves = true,
  givesBytes = true,
  leavesAfterMs = 0,
  before,
}: Behaviour): Promise<Giver> {
  const peer = await testPeer();
  const leaves = await leavesOf(inPieces(file));
  let askedBytes = 0;
  peer.network.streams.handle(CONTENT_PROTOCOL, async (stream) => {
    const request = await readRequest(stream);
    const { part, offset, length } = request;
    if (part === "leaves" ? !tellsLeaves : !givesBytes) await sendHead(stream, { state: "absent" });
    else if (part === "leaves") {
      await createSystemTimers().sleep(leavesAfterMs);
      await sendHead(stream, { state: "found", form: "leaves", size: file.byteLength });
      await sendBytes(stream, [leaves]);
    } else {
      askedBytes += length ?? 0;
      await before?.(request, stream);
      await sendHead(stream, { state: "found", form: "bytes", size: file.byteLength });
      await sendBytes(stream, [file.subarray(offset, offset + (length ?? 0))]);
    }
    await stream.end();
  });
  return {
    peerId: peer.network.peerId,
    address: peer.address,
    askedBytes: () => askedBytes,
    [Symbol.asyncDispose]: () => peer.network.close(),
  };
}

async function* inPieces(file: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < file.byteLength; at += 100_000) yield file.subarray(at, at + 100_000);
}

let folder = "";
let kept: Buffer | null = null;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twentysix-pieces-"));
  kept = null;
});
afterEach(() => rm(folder, { recursive: true }));

interface Taker {
  readonly credit: SourceCredit;
  fetch(signal?: AbortSignal): Promise<boolean>;
}

/** Room on a disk, of which so much is used. */
function diskOf(roomBytes: () => number) {
  const disk = { usedBytes: 0 };
  const reserve = () => {
    let heldBytes = 0;
    return {
      grow: (bytes: number) => {
        if (disk.usedBytes + bytes > roomBytes()) throw new ApiError("API_STORAGE_FULL", "the disk is full");
        heldBytes += bytes;
        disk.usedBytes += bytes;
      },
      [Symbol.dispose]: () => {
        disk.usedBytes -= heldBytes;
        heldBytes = 0;
      },
    };
  };
  return { disk, reserve };
}

const endless = diskOf(() => Number.POSITIVE_INFINITY).reserve;

async function taker(peer: TestPeer, givers: readonly Giver[], reserveDisk = endless): Promise<Taker> {
  const clock = createSystemClock();
  const credit = new SourceCredit(clock, createSystemRandom());
  const fetcher = new PiecewiseFetcher({
    streams: peer.network.streams,
    clock,
    timers: createSystemTimers(),
    folder,
    files: workingFilesOnDisk,
    maxFileBytes: 2 * SIZE_BYTES,
    reserveDisk,
    credit,
    log: createMemoryLogger(),
  });
  await fetcher.open(0);
  const keep = async (hash: string, bytes: () => AsyncIterable<Uint8Array>) => {
    const all = Buffer.concat(await Array.fromAsync(bytes()));
    if (createHash("sha256").update(all).digest("hex") !== hash)
      throw new BlobError("BLOB_HASH_MISMATCH", "another file");
    kept = all;
    return { hash, sizeBytes: all.byteLength, type: "file" as const, sha256: hash, cid: null };
  };
  const peers = givers.map(({ peerId: name }) => ({ name }));
  return {
    credit,
    fetch: async (signal = never) => {
      const peerIds = credit.inOrder(peers).map(({ name }) => name);
      return (await fetcher.fetch(HASH, peerIds, keep, signal)) !== null;
    },
  };
}

async function among(givers: readonly Giver[]): Promise<TestPeer> {
  const peer = await testPeer({ bootstrap: givers.map(({ address }) => address) });
  await connected(peer, givers.length);
  return peer;
}

describe("a large file", { timeout: 60_000 }, () => {
  test("comes from several peers at once", async () => {
    await using first = await giver({});
    await using second = await giver({});
    await using third = await giver({});
    const givers = [first, second, third];
    await using peer = await among(givers);
    const { fetch, credit } = await taker(peer, givers);
    assert.equal(await fetch(), true);
    assert.ok(kept?.equals(FILE));
    for (const one of givers) assert.ok(one.askedBytes() > 0);
    assert.equal(
      givers.reduce((sum, { askedBytes }) => sum + askedBytes(), 0),
      SIZE_BYTES,
    );
    assert.equal(credit.faults, 0);
  });

  test("is whole though a peer sends other bytes, which costs that peer alone", async () => {
    await using honest = await giver({});
    await using liar = await giver({ file: OTHER, tellsLeaves: false });
    const givers = [liar, honest];
    await using peer = await among(givers);
    const { fetch, credit } = await taker(peer, givers);
    assert.equal(await fetch(), true);
    assert.ok(kept?.equals(FILE));
    assert.deepEqual([credit.faultsOf(liar.peerId), credit.faultsOf(honest.peerId)], [1, 0]);
  });

  test("that a peer describes wrongly costs that peer, and not those that have the real one", async () => {
    await using honest = await giver({ tellsLeaves: false });
    await using liar = await giver({ file: OTHER });
    const givers = [honest, liar];
    await using peer = await among(givers);
    const { fetch, credit } = await taker(peer, givers);
    assert.equal(await fetch(), false);
    assert.deepEqual([credit.faultsOf(liar.peerId), credit.faultsOf(honest.peerId)], [1, 0]);
    await using other = await giver({});
    await using again = await among([honest, other]);
    assert.equal(await (await taker(again, [honest, other])).fetch(), true);
    assert.ok(kept?.equals(FILE));
  });

  test("is not held up by a description that nobody can show the bytes of", async () => {
    await using honest = await giver({ tellsLeaves: false });
    await using liar = await giver({ file: OTHER, givesBytes: false });
    const givers = [honest, liar];
    await using peer = await among(givers);
    assert.equal(await (await taker(peer, givers)).fetch(), false);
    await using other = await giver({});
    await using again = await among([honest, other]);
    assert.equal(await (await taker(again, [honest, other])).fetch(), true);
  });

  test("comes although whoever describes it first does so wrongly, again and again, and shows nothing", async () => {
    await using liar = await giver({ file: OTHER, givesBytes: false });
    await using honest = await giver({ leavesAfterMs: 1_000 });
    await using peer = await among([liar, honest]);
    const { fetch } = await taker(peer, [liar, honest]);
    let attempts = 1;
    while (!(await fetch())) attempts += 1;
    assert.ok(kept?.equals(FILE));
    assert.ok(attempts <= 3, `${attempts} attempts`);
  });

  test("takes the room of what is here of it, and none for what a peer claims", async () => {
    let roomBytes = 3 * SIZE_BYTES;
    const { disk, reserve } = diskOf(() => roomBytes);
    await using liar = await giver({ givesBytes: false });
    await using honest = await giver({
      before: async () => {
        assert.ok(disk.usedBytes <= honest.askedBytes());
      },
    });
    await using peer = await among([liar, honest]);
    assert.equal(await (await taker(peer, [liar], reserve)).fetch(), false);
    assert.equal(disk.usedBytes, 0);
    roomBytes = SIZE_BYTES / 2;
    assert.equal(await (await taker(peer, [honest], reserve)).fetch(), false, "it would not fit");
    assert.equal(honest.askedBytes(), 0);
    roomBytes = SIZE_BYTES;
    assert.equal(await (await taker(peer, [honest], reserve)).fetch(), true);
    assert.ok(kept?.equals(FILE));
    assert.equal(disk.usedBytes, 0);
  });

  test("for which the room ends on its way goes on when there is some again", async () => {
    let roomBytes = SIZE_BYTES;
    const { disk, reserve } = diskOf(() => roomBytes);
    let requests = 0;
    await using one = await giver({
      before: async () => {
        requests += 1;
        if (requests === 3) roomBytes = disk.usedBytes + 1;
      },
    });
    await using peer = await among([one]);
    const { fetch, credit } = await taker(peer, [one], reserve);
    assert.equal(await fetch(), false);
    assert.ok(disk.usedBytes > 0 && disk.usedBytes < SIZE_BYTES);
    roomBytes = SIZE_BYTES;
    const before = one.askedBytes();
    assert.equal(await fetch(), true);
    assert.ok(one.askedBytes() - before < SIZE_BYTES - 4 * 1024 * 1024);
    assert.deepEqual([disk.usedBytes, credit.faults], [0, 0]);
  });

  test("goes on where it was after streams that break, and after a restart", async () => {
    const stop = new AbortController();
    let requests = 0;
    await using breaking = await giver({
      async before(_request, stream) {
        requests += 1;
        if (requests === 2) stream.abort(new Error("broken"));
        if (requests === 4) stop.abort();
      },
    });
    await using peer = await among([breaking]);
    assert.equal(await (await taker(peer, [breaking])).fetch(stop.signal), false);
    assert.equal(requests, 4);
    const before = breaking.askedBytes();
    await using other = await giver({});
    await using again = await among([breaking, other]);
    const { fetch, credit } = await taker(again, [breaking, other]);
    assert.equal(await fetch(), true);
    assert.ok(kept?.equals(FILE));
    const afterwards = breaking.askedBytes() - before + other.askedBytes();
    assert.ok(afterwards <= SIZE_BYTES - 2 * 16 * 256 * 1024, `${afterwards} bytes were asked for again`);
    assert.equal(credit.faults, 0);
  });
});
