import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { BlobStore } from "../../../src/blobs/blob-store.ts";
import { scrub } from "../../../src/blobs/scrub.ts";
import { cutBytes, drain, seededBuffer, seededBytes, sha256 } from "../bytes.ts";
import { rejectsWith } from "../expect-code.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type EngineTraits, openStore, type TestedEngine } from "./tested-engine.ts";

const MIB = 1024 * 1024;

interface Ground extends AsyncDisposable {
  readonly tested: TestedEngine;
  readonly files: BlobStore;
  /** Closes the store and opens it again on the same folder and engine. */
  reopen(): Promise<BlobStore>;
}

async function prepare(traits: EngineTraits): Promise<Ground> {
  const folder = await temporaryFolder();
  const tested = await traits.fresh(folder.path);
  let store = await openStore(folder.path, tested);
  return {
    tested,
    files: store.files,
    async reopen() {
      await store[Symbol.asyncDispose]();
      store = await openStore(folder.path, tested);
      return store.files;
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What every store of blobs does, whatever keeps the bytes. */
export function describeBlobStore(traits: EngineTraits): void {
  describe(`blobs on ${traits.name}`, { skip: traits.skip, timeout: 180_000 }, () => {
    test("what was put is read back, whole and in ranges, and is gone when it is deleted", async () => {
      await using ground = await prepare(traits);
      const { files, tested } = ground;
      const bytes = seededBuffer("a", 700_001);
      const put = await files.put(cutBytes(bytes, [1, 65_536, 100]));
      assert.deepEqual(put, { sha256: sha256(bytes), sizeBytes: 700_001, isNew: true });
      assert.deepEqual(await drain(files.get(put.sha256)), Buffer.from(bytes));
      const range = { offsetBytes: 262_143, lengthBytes: 262_146 };
      assert.deepEqual(
        await drain(files.get(put.sha256, { range })),
        Buffer.from(bytes).subarray(262_143, 524_289),
      );
      assert.deepEqual(await files.stat(put.sha256), { sha256: put.sha256, sizeBytes: 700_001 });
      assert.equal((await files.put([bytes])).isNew, false);
      assert.equal((await tested.held()).length, 1);
      assert.equal(await files.delete(put.sha256), true);
      assert.equal(await files.delete(put.sha256), false);
      assert.equal(await files.has(put.sha256), false);
      assert.equal(await files.open(put.sha256), undefined);
      assert.equal(files.usage.reservedBytes, 0);
      assert.deepEqual(await tested.held(), []);
    });

    test("any range gives the same bytes as a slice", async () => {
      await using ground = await prepare(traits);
      const { files } = ground;
      const bytes = seededBuffer("ranges", 600_000);
      const { sha256: name } = await files.put([bytes]);
      const offset = fc.integer({ min: 0, max: 600_000 });
      const length = fc.option(fc.integer({ min: 0, max: 700_000 }), { nil: undefined });
      await fc.assert(
        fc.asyncProperty(offset, length, async (offsetBytes, lengthBytes) => {
          const range = lengthBytes === undefined ? { offsetBytes } : { offsetBytes, lengthBytes };
          const expected = bytes.subarray(offsetBytes, offsetBytes + (lengthBytes ?? 700_000));
          assert.deepEqual(await drain(files.get(name, { range })), Buffer.from(expected));
        }),
        { numRuns: 50 },
      );
      for (const offsetBytes of [-1, 0.5, 600_001, Number.NaN]) {
        await rejectsWith("BLOB_RANGE_INVALID", () => drain(files.get(name, { range: { offsetBytes } })));
      }
      await using reader = await files.open(name);
      assert.ok(reader);
      assert.deepEqual(
        Buffer.from(await reader.readAt(262_000, 300_000)),
        Buffer.from(bytes.subarray(262_000, 562_000)),
      );
      await rejectsWith("BLOB_CORRUPT", () => reader.readAt(599_999, 2));
    });

    test("blobs of no bytes, of one chunk, and around the ends of chunks", async () => {
      await using ground = await prepare(traits);
      for (const sizeBytes of [0, 1, 262_143, 262_144, 262_145, 524_288]) {
        const bytes = seededBuffer(`size ${sizeBytes}`, sizeBytes);
        const { sha256: name } = await ground.files.put([bytes]);
        assert.deepEqual(await drain(ground.files.get(name)), Buffer.from(bytes));
        assert.equal((await ground.files.stat(name))?.sizeBytes, sizeBytes);
      }
    });

    test("a blob that is not there, and a name that is no name", async () => {
      await using ground = await prepare(traits);
      const { files } = ground;
      const missing = "0".repeat(64);
      assert.equal(await files.open(missing), undefined);
      assert.equal(await files.stat(missing), undefined);
      assert.equal(await files.delete(missing), false);
      await rejectsWith("BLOB_NOT_FOUND", () => drain(files.get(missing)));
      for (const name of ["", "A".repeat(64), "../../../../etc/passwd", `${"0".repeat(63)}/`]) {
        await rejectsWith("BLOB_NAME_INVALID", () => drain(files.get(name)));
        await rejectsWith("BLOB_NAME_INVALID", async () => files.delete(name));
        await rejectsWith("BLOB_NAME_INVALID", () => files.put([], { expectedHash: name }));
      }
    });

    test("refused puts leave nothing: wrong hash, wrong size, too large, a failing source, an abort", async () => {
      await using ground = await prepare(traits);
      const { files, tested } = ground;
      const bytes = seededBuffer("refused", 100_000);
      const pieces = (): Iterable<Uint8Array> => cutBytes(bytes, [1000]);
      await rejectsWith("BLOB_HASH_MISMATCH", () => files.put(pieces(), { expectedHash: "0".repeat(64) }));
      await rejectsWith("BLOB_SIZE_EXCEEDED", () => files.put(pieces(), { maxSizeBytes: 99_999 }));
      await rejectsWith("BLOB_SIZE_EXCEEDED", () => files.put([], { maxSizeBytes: 5, declaredSizeBytes: 6 }));
      await rejectsWith("BLOB_SIZE_MISMATCH", () => files.put(pieces(), { declaredSizeBytes: 100_001 }));
      const broken = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes;
        throw new Error("the sender went away");
      };
      await assert.rejects(files.put(broken()), /the sender went away/);
      const abort = new AbortController();
      const silent = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes;
        abort.abort(new Error("enough"));
        await new Promise(() => {});
      };
      await assert.rejects(files.put(silent(), { signal: abort.signal }), /enough/);
      assert.deepEqual(await tested.held(), []);
      assert.equal(files.usage.reservedBytes, 0);
    });

    test("a source that is too large is not read to its end", async () => {
      await using ground = await prepare(traits);
      let pulled = 0;
      const endless = function* (): Generator<Uint8Array> {
        while (true) {
          pulled += 1000;
          yield new Uint8Array(1000);
        }
      };
      await rejectsWith("BLOB_SIZE_EXCEEDED", () => ground.files.put(endless(), { maxSizeBytes: 10_000 }));
      assert.equal(pulled, 11_000);
    });

    test("the list has every blob in order and goes on after any name", async () => {
      await using ground = await prepare(traits);
      const { files } = ground;
      const names: string[] = [];
      for (let index = 0; index < 40; index += 1) {
        names.push((await files.put([seededBuffer(`list${index}`, index)])).sha256);
      }
      names.sort();
      const list = async (after?: string): Promise<string[]> =>
        (await Array.fromAsync(files.list(after === undefined ? {} : { after }))).map((blob) => blob.sha256);
      assert.deepEqual(await list(), names);
      for (const cut of [0, 17, 39]) assert.deepEqual(await list(names[cut]), names.slice(cut + 1));
      const abort = new AbortController();
      abort.abort(new Error("enough"));
      await assert.rejects(Array.fromAsync(files.list({ signal: abort.signal })), /enough/);
    });

    test("closing ends what runs, leaves nothing of it and refuses what comes later", async () => {
      await using ground = await prepare(traits);
      const { files, tested } = ground;
      const started = Promise.withResolvers<void>();
      const silent = async function* (): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(10);
        started.resolve();
        await new Promise(() => {});
      };
      const put = rejectsWith("BLOB_STORE_CLOSED", () => files.put(silent()));
      await started.promise;
      await files[Symbol.asyncDispose]();
      await put;
      assert.deepEqual(await tested.held(), []);
      await rejectsWith("BLOB_STORE_CLOSED", () => files.put([]));
    });

    test("what was acknowledged is there when the store is opened again", async () => {
      await using ground = await prepare(traits);
      const bytes = seededBuffer("again", 300_000);
      const { sha256: name } = await ground.files.put([bytes]);
      const files = await ground.reopen();
      assert.deepEqual(await drain(files.get(name)), Buffer.from(bytes));
      assert.equal((await files.put([bytes])).isNew, false);
    });

    test("puts and deletions of one blob at once: an acknowledged put that came last is there", async () => {
      await using ground = await prepare(traits);
      const { files, tested } = ground;
      const bytes = seededBuffer("at once", 300_000);
      const name = sha256(bytes);
      for (let round = 0; round < 5; round += 1) {
        const puts = [files.put([bytes]), files.put([bytes]), files.put([bytes])];
        await Promise.all([...puts, files.delete(name), files.delete(name)]);
        await files.put([bytes]);
        assert.deepEqual(await drain(files.get(name)), Buffer.from(bytes));
      }
      const claimed = files.delete(name, { isClaimed: () => true });
      assert.equal(await claimed, false);
      assert.equal(await files.delete(name), true);
      assert.deepEqual(await tested.held(), []);
    });

    test("changed bytes are found by the scrubber, are not handed out, and are mended by another put", async () => {
      await using ground = await prepare(traits);
      const { files, tested } = ground;
      const bytes = seededBuffer("damaged", 600_000);
      const { sha256: name } = await files.put([bytes]);
      const { sha256: other } = await files.put([seededBuffer("whole", 1000)]);
      await tested.damage(bytes, 300_000);
      const found = new Map(
        (await Array.fromAsync(scrub(files))).map((blob) => [blob.sha256, blob.isIntact]),
      );
      assert.deepEqual(
        found,
        new Map([
          [name, false],
          [other, true],
        ]),
      );
      if (traits.verifiesReads) {
        await rejectsWith("BLOB_CORRUPT", () => drain(files.get(name)));
        const range = { offsetBytes: 400_000, lengthBytes: 10 };
        await rejectsWith("BLOB_CORRUPT", () => drain(files.get(name, { range })));
        // The chunk before is as it was; nothing of the changed one gets out, not even what stands before the change.
        const handedOut: Uint8Array[] = [];
        await rejectsWith("BLOB_CORRUPT", async () => {
          for await (const piece of files.get(name)) handedOut.push(piece);
        });
        assert.deepEqual(Buffer.concat(handedOut), Buffer.from(bytes.subarray(0, 262_144)));
      }
      await files.put([bytes]);
      assert.deepEqual(await drain(files.get(name)), Buffer.from(bytes));
    });

    test("lost bytes are missed, and are mended by another put", async () => {
      await using ground = await prepare(traits);
      const { files, tested } = ground;
      const bytes = seededBuffer("lost", 300_000);
      const { sha256: name } = await files.put([bytes]);
      await tested.lose(bytes);
      assert.equal(await files.stat(name), undefined);
      await files.put([bytes]);
      assert.deepEqual(await drain(files.get(name)), Buffer.from(bytes));
    });

    test("a large blob never stands in memory", async () => {
      await using ground = await prepare(traits);
      const { files } = ground;
      const sizeBytes = 200 * MIB;
      const startBytes = process.memoryUsage().arrayBuffers;
      let peakBytes = 0;
      const look = (): void => {
        peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers - startBytes);
      };
      const timer = setInterval(look, 5);
      try {
        const { sha256: name } = await files.put(seededBytes("large", sizeBytes));
        let readBytes = 0;
        for await (const piece of files.get(name)) readBytes += piece.byteLength;
        assert.equal(readBytes, sizeBytes);
      } finally {
        clearInterval(timer);
      }
      assert.ok(peakBytes < 120 * MIB, `${peakBytes} bytes were held at once`);
    });

    test("a reader keeps its blob while it is deleted", { skip: !traits.readsOutliveDeletion }, async () => {
      await using ground = await prepare(traits);
      const bytes = seededBuffer("open", 600_000);
      const { sha256: name } = await ground.files.put([bytes]);
      await using reader = await ground.files.open(name);
      assert.ok(reader);
      await ground.files.delete(name);
      assert.deepEqual(await drain(reader.read()), Buffer.from(bytes));
    });
  });
}
