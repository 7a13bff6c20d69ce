import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createSystemClock, createSystemTimers } from "@twentysix/platform";
import { hashFile } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import { DiskClaims, type DiskRoom } from "../../src/executions/admission/disk-claims.ts";
import { type OpenFileCache, openFileCache } from "../../src/images/cache/file-cache.ts";
import type { FileSource } from "../../src/images/cache/file-source.ts";
import { ImageError, type ImageErrorCode } from "../../src/images/errors.ts";

const PIECE_BYTES = 10_000;
const MIB = 1_048_576;
const SIGNAL = new AbortController().signal;

/** A place with files, and what it does to those who ask. */
class TestSource implements FileSource {
  readonly name: string;
  readonly files = new Map<string, Buffer>();
  readonly reads: number[] = [];
  /** What is served in place of the bytes. */
  change: (bytes: Buffer) => Buffer = (bytes) => bytes;
  announces = true;
  breaksAfterBytes = Number.POSITIVE_INFINITY;
  isReachable = true;
  gate: Promise<void> = Promise.resolve();

  constructor(name = "test") {
    this.name = name;
  }

  /** The STORE message has the name of the file, to keep it simple. */
  async storedFile(storeHash: string) {
    if (!this.isReachable) throw new TypeError("fetch failed");
    return this.files.has(storeHash) ? { fileHash: storeHash } : null;
  }

  async read(fileHash: string, startBytes: number, signal: AbortSignal) {
    this.reads.push(startBytes);
    if (!this.isReachable) throw new TypeError("fetch failed");
    const bytes = this.files.get(fileHash);
    if (bytes === undefined) return null;
    await this.gate;
    signal.throwIfAborted();
    const served = this.change(bytes);
    const totalBytes = this.announces ? served.length : null;
    return { startBytes, totalBytes, chunks: this.#pieces(served, startBytes) };
  }

  async *#pieces(bytes: Buffer, startBytes: number) {
    for (let start = startBytes; start < bytes.length; start += PIECE_BYTES) {
      if (start - startBytes >= this.breaksAfterBytes) throw new TypeError("terminated");
      yield bytes.subarray(start, start + PIECE_BYTES);
    }
  }

  add(bytes: Buffer): string {
    const hash = createHash("sha256").update(bytes).digest("hex");
    this.files.set(hash, bytes);
    return hash;
  }
}

class Place implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), "cache-")));
  }

  open(sources: readonly FileSource[], quotaBytes = 1_000_000, room?: DiskRoom): Promise<OpenFileCache> {
    const { folder } = this;
    return openFileCache({
      folder,
      sources,
      quotaBytes,
      room: room ?? { claim: async () => ({ growTo: async () => true, [Symbol.dispose]: () => undefined }) },
      clock: createSystemClock(),
      timers: createSystemTimers(),
    });
  }

  async usedBytes(): Promise<number> {
    const files = await readdir(this.folder);
    const sizes = await Promise.all(files.map(async (name) => (await stat(join(this.folder, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

const LIMIT = { maxBytes: 500_000 };

function failsWith(work: Promise<unknown>, code: ImageErrorCode): Promise<void> {
  return assert.rejects(work, (error) => error instanceof ImageError && error.code === code);
}

describe("file cache", () => {
  it("downloads once, for all who ask at the same time and later, also after a restart", async () => {
    await using place = await Place.make();
    const source = new TestSource();
    const bytes = randomBytes(65_000);
    const hash = source.add(bytes);
    const cache = await place.open([source]);
    const files = await Promise.all([1, 2, 3].map(() => cache.acquire(hash, LIMIT, SIGNAL)));
    for (const file of files) assert.deepEqual(await readFile(file.path), bytes);
    await cache.acquire(hash, LIMIT, SIGNAL);
    const { files: kept, usedBytes, hits, misses } = cache.usage();
    assert.deepEqual({ kept, usedBytes, hits, misses }, { kept: 1, usedBytes: 65_000, hits: 1, misses: 3 });
    const again = await (await place.open([])).acquire(hash, LIMIT, SIGNAL);
    assert.deepEqual([again.sha256, again.sizeBytes], [hash, 65_000]);
    assert.deepEqual(source.reads, [0]);
  });

  it("goes on where a broken connection stopped, at another source", async () => {
    await using place = await Place.make();
    const [first, second] = [new TestSource("first"), new TestSource("second")];
    const bytes = randomBytes(95_000);
    const hash = first.add(bytes);
    second.add(bytes);
    first.breaksAfterBytes = 40_000;
    const file = await (await place.open([first, second])).acquire(hash, LIMIT, SIGNAL);
    assert.deepEqual(await readFile(file.path), bytes);
    assert.deepEqual([first.reads, second.reads], [[0], [40_000]]);
  });

  it("goes on after a restart", async () => {
    await using place = await Place.make();
    const source = new TestSource();
    const hash = source.add(randomBytes(95_000));
    source.breaksAfterBytes = 30_000;
    const leaving = new AbortController();
    const cache = await place.open([source]);
    const waiting = cache.acquire(hash, LIMIT, leaving.signal);
    // The first round of the only source ends in the middle; nobody waits for the next.
    while (!(await readdir(place.folder)).includes(`${hash}.part`)) await new Promise(setImmediate);
    while ((await stat(join(place.folder, `${hash}.part`))).size < 30_000) await new Promise(setImmediate);
    leaving.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    source.breaksAfterBytes = Number.POSITIVE_INFINITY;
    await (await place.open([source])).acquire(hash, LIMIT, SIGNAL);
    assert.equal(source.reads.at(-1), 30_000);
  });

  it("takes nothing that is not the file, and finds it elsewhere", async () => {
    await using place = await Place.make();
    const [liar, honest] = [new TestSource("liar"), new TestSource("honest")];
    const hash = liar.add(randomBytes(50_000));
    liar.change = (bytes) => Buffer.from(bytes.toReversed());
    const cache = await place.open([liar]);
    await failsWith(cache.acquire(hash, LIMIT, SIGNAL), "FILE_WRONG");
    assert.equal(cache.usage().usedBytes, 0);
    honest.files.set(hash, liar.files.get(hash) ?? Buffer.alloc(0));
    await (await place.open([liar, honest])).acquire(hash, LIMIT, SIGNAL);
  });

  it("is not spoiled by the beginning that a liar gave", async () => {
    await using place = await Place.make();
    const [liar, honest] = [new TestSource("liar"), new TestSource("honest")];
    const bytes = randomBytes(50_000);
    const hash = liar.add(bytes);
    honest.add(bytes);
    liar.change = (served) => Buffer.from(served.toReversed());
    liar.breaksAfterBytes = 20_000;
    const file = await (await place.open([liar, honest])).acquire(hash, LIMIT, SIGNAL);
    assert.deepEqual(await readFile(file.path), bytes);
    assert.deepEqual(honest.reads, [20_000, 0]);
  });

  for (const announces of [true, false]) {
    it(`refuses what is larger than allowed, ${announces ? "announced" : "or turns out to be"}`, async () => {
      await using place = await Place.make();
      const source = new TestSource();
      source.announces = announces;
      const hash = source.add(randomBytes(60_000));
      const cache = await place.open([source]);
      await failsWith(cache.acquire(hash, { maxBytes: 59_999 }, SIGNAL), "FILE_TOO_LARGE");
      await cache.acquire(hash, { maxBytes: 60_000 }, SIGNAL);
      await failsWith(cache.acquire(hash, { maxBytes: 59_999 }, SIGNAL), "FILE_TOO_LARGE");
    });
  }

  it("keeps to its quota: what nobody holds goes, the longest unused first", async () => {
    await using place = await Place.make();
    const source = new TestSource();
    const [first, second, third, fourth] = [1, 2, 3, 4].map(() => source.add(randomBytes(40_000)));
    const cache = await place.open([source], 100_000);
    const get = async (hash = "") => await cache.acquire(hash, LIMIT, SIGNAL);
    const held = await get(first);
    (await get(second)).release();
    const third1 = await get(third);
    assert.deepEqual(await names(place), [first, third].toSorted());
    await failsWith(get(fourth), "CACHE_FULL");
    held.release();
    held.release();
    await get(fourth);
    assert.deepEqual(await names(place), [third, fourth].toSorted());
    assert.equal(cache.usage().usedBytes, 80_000);
    third1.release();
  });

  for (const announces of [true, false]) {
    const size = announces ? "of a known size" : "of an unknown size";
    it(`takes no room that machines were promised for a file ${size}: what nobody holds goes before`, async () => {
      await using place = await Place.make();
      const source = new TestSource();
      source.announces = announces;
      const [first, second, third, fourth] = [1, 2, 3, 4].map(() => source.add(randomBytes(8 * MIB)));
      const claims = new DiskClaims(async () => 30 * MIB - (await place.usedBytes()));
      const cache = await place.open([source], 1_000 * MIB, claims);
      const get = async (hash = "") => await cache.acquire(hash, { maxBytes: 10 * MIB }, SIGNAL);
      const held = await get(first);
      (await get(second)).release();
      using backup = await claims.claim(join(place.folder, "backup"), 10 * MIB);
      assert.ok(backup !== null);
      await get(third);
      assert.deepEqual(await names(place), [first, third].toSorted());
      await failsWith(get(fourth), "CACHE_FULL");
      assert.deepEqual(await names(place), [first, third].toSorted());
      held.release();
      await get(fourth);
      assert.deepEqual(await names(place), [third, fourth].toSorted());
      assert.equal(claims.outstandingBytes, 10 * MIB, "what is here is no longer claimed");
    });
  }

  it("says whether a file exists nowhere or cannot be reached", async () => {
    await using place = await Place.make();
    const source = new TestSource();
    const hash = "ab".repeat(32);
    await failsWith((await place.open([source])).acquire(hash, LIMIT, SIGNAL), "FILE_NOT_FOUND");
    source.isReachable = false;
    await failsWith((await place.open([source])).acquire(hash, LIMIT, SIGNAL), "FILES_UNREACHABLE");
    await failsWith((await place.open([])).acquire(hash, LIMIT, SIGNAL), "FILES_UNREACHABLE");
    await failsWith(
      (await place.open([source])).acquire("../../etc/passwd", LIMIT, SIGNAL),
      "FILE_NOT_FOUND",
    );
  });

  it("verifies files of IPFS by their CID", async () => {
    await using place = await Place.make();
    const source = new TestSource();
    const bytes = randomBytes(400_000);
    const cid = await hashFile({ createSha256: createNodeSha256 }, { file: bytes, engine: "ipfs" });
    source.files.set(cid, bytes);
    const cache = await place.open([source]);
    const file = await cache.acquire(cid, LIMIT, SIGNAL);
    assert.equal(file.sha256, createHash("sha256").update(bytes).digest("hex"));
    const other = await hashFile(
      { createSha256: createNodeSha256 },
      { file: randomBytes(9), engine: "ipfs" },
    );
    source.files.set(other, bytes);
    await failsWith(cache.acquire(other, LIMIT, SIGNAL), "FILE_WRONG");
  });

  it("one who leaves does not take the download from the others", async () => {
    await using place = await Place.make();
    const source = new TestSource();
    const hash = source.add(randomBytes(20_000));
    const { promise, resolve } = Promise.withResolvers<void>();
    source.gate = promise;
    const cache = await place.open([source]);
    const leaving = new AbortController();
    const left = cache.acquire(hash, LIMIT, leaving.signal);
    const staying = cache.acquire(hash, LIMIT, SIGNAL);
    while (source.reads.length === 0) await new Promise(setImmediate);
    leaving.abort(new Error("no more"));
    await assert.rejects(left, /no more/);
    resolve();
    assert.equal((await staying).sizeBytes, 20_000);
  });
});

async function names(place: Place): Promise<readonly string[]> {
  return (await readdir(place.folder)).filter((name) => name.length === 64).toSorted();
}
