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
  /** Does something before it sends a piece. */
  readonly before?: (request: ContentRequest, stream: PeerStream) => Promise<void>;
}

/** A peer that has a file, or says so. */
async function giver({
  file = FILE,
  tellsLeaves = true,
  givesBytes = true,
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

async function taker(peer: TestPeer, givers: readonly Giver[]): Promise<Taker> {
  const clock = createSystemClock();
  const credit = new SourceCredit(clock, createSystemRandom());
  const fetcher = new PiecewiseFetcher({
    streams: peer.network.streams,
    clock,
    timers: createSystemTimers(),
    folder,
    files: workingFilesOnDisk,
    maxFileBytes: 2 * SIZE_BYTES,
    reserveDisk: () => ({ grow: () => undefined, [Symbol.dispose]: () => undefined }),
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
  const peerIds = givers.map(({ peerId }) => peerId);
  return {
    credit,
    fetch: async (signal = never) => (await fetcher.fetch(HASH, peerIds, keep, signal)) !== null,
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
