import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { FileBlobStore } from "../../src/blobs/file-blob-store.ts";
import { cutBytes, drain, seededBuffer, seededBytes, sha256 } from "./bytes.ts";
import { rejectsWith } from "./expect-code.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const FOLDER = "/store";

test("what was put is read back, whole and in ranges, from a real disk", async () => {
  await using folder = await temporaryFolder();
  await using store = await FileBlobStore.open({ folder: folder.path });
  const bytes = seededBuffer("a", 700_001);
  const put = await store.put(cutBytes(bytes, [1, 65_536, 100]));
  assert.deepEqual(put, { sha256: sha256(bytes), sizeBytes: 700_001, isNew: true });
  assert.deepEqual(await drain(store.get(put.sha256)), Buffer.from(bytes));
  const range = { offsetBytes: 262_143, lengthBytes: 262_146 };
  assert.deepEqual(
    await drain(store.get(put.sha256, { range })),
    Buffer.from(bytes).subarray(262_143, 524_289),
  );
  assert.deepEqual(await store.stat(put.sha256), { sha256: put.sha256, sizeBytes: 700_001 });
  assert.equal((await store.put([bytes])).isNew, false);
  assert.equal(store.usage.usedBytes, 700_001);
  assert.equal(await store.delete(put.sha256), true);
  assert.equal(await store.delete(put.sha256), false);
  assert.equal(await store.has(put.sha256), false);
  assert.deepEqual(store.usage, { usedBytes: 0, reservedBytes: 0, maxBytes: undefined });
  assert.deepEqual(await readdir(join(folder.path, "tmp")), []);
});

test("any range gives the same bytes as a slice", async () => {
  const disk = new SimulatedDisk();
  const store = await FileBlobStore.open({ folder: FOLDER, fileSystem: disk });
  const bytes = seededBuffer("ranges", 300_000);
  const { sha256: name } = await store.put([bytes]);
  const offset = fc.integer({ min: 0, max: 300_000 });
  const length = fc.option(fc.integer({ min: 0, max: 400_000 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(offset, length, async (offsetBytes, lengthBytes) => {
      const range = lengthBytes === undefined ? { offsetBytes } : { offsetBytes, lengthBytes };
      const expected = bytes.subarray(offsetBytes, offsetBytes + (lengthBytes ?? 400_000));
      assert.deepEqual(await drain(store.get(name, { range })), Buffer.from(expected));
    }),
    { numRuns: 50 },
  );
  for (const offsetBytes of [-1, 0.5, 300_001, Number.NaN]) {
    await rejectsWith("BLOB_RANGE_INVALID", () => drain(store.get(name, { range: { offsetBytes } })));
  }
});

test("a blob that is not there, and a name that is no name", async () => {
  const store = await FileBlobStore.open({ folder: FOLDER, fileSystem: new SimulatedDisk() });
  const missing = "0".repeat(64);
  assert.equal(await store.open(missing), undefined);
  assert.equal(await store.stat(missing), undefined);
  await rejectsWith("BLOB_NOT_FOUND", () => drain(store.get(missing)));
  for (const name of ["", "A".repeat(64), "../../../../etc/passwd", `${"0".repeat(63)}/`]) {
    await rejectsWith("BLOB_NAME_INVALID", () => drain(store.get(name)));
    await rejectsWith("BLOB_NAME_INVALID", async () => store.delete(name));
    await rejectsWith("BLOB_NAME_INVALID", () => store.put([], { expectedHash: name }));
  }
});

test("refused puts leave nothing: wrong hash, wrong size, too large, a failing source, an abort", async () => {
  const disk = new SimulatedDisk();
  const store = await FileBlobStore.open({ folder: FOLDER, fileSystem: disk });
  const bytes = seededBuffer("refused", 100_000);
  const pieces = (): Iterable<Uint8Array> => cutBytes(bytes, [1000]);
  await rejectsWith("BLOB_HASH_MISMATCH", () => store.put(pieces(), { expectedHash: "0".repeat(64) }));
  await rejectsWith("BLOB_SIZE_EXCEEDED", () => store.put(pieces(), { maxSizeBytes: 99_999 }));
  await rejectsWith("BLOB_SIZE_EXCEEDED", () => store.put([], { maxSizeBytes: 5, declaredSizeBytes: 6 }));
  await rejectsWith("BLOB_SIZE_MISMATCH", () => store.put(pieces(), { declaredSizeBytes: 100_001 }));
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
    throw new Error("the sender went away");
  };
  await assert.rejects(store.put(broken()), /the sender went away/);
  const abort = new AbortController();
  const silent = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
    abort.abort(new Error("enough"));
    await new Promise(() => {});
  };
  await assert.rejects(store.put(silent(), { signal: abort.signal }), /enough/);
  assert.deepEqual(disk.paths(), []);
  assert.deepEqual(store.usage, { usedBytes: 0, reservedBytes: 0, maxBytes: undefined });
});

test("a source that is too large is not read to its end", async () => {
  const store = await FileBlobStore.open({ folder: FOLDER, fileSystem: new SimulatedDisk() });
  let pulled = 0;
  const endless = function* (): Generator<Uint8Array> {
    while (true) {
      pulled += 1000;
      yield new Uint8Array(1000);
    }
  };
  await rejectsWith("BLOB_SIZE_EXCEEDED", () => store.put(endless(), { maxSizeBytes: 10_000 }));
  assert.equal(pulled, 11_000);
});

test("the disk budget holds for writes in progress too, and is counted again at start", async () => {
  const disk = new SimulatedDisk();
  const options = { folder: FOLDER, fileSystem: disk, maxBytes: 10_000 };
  const store = await FileBlobStore.open(options);
  const first = await store.put([seededBuffer("1", 6000)]);
  await rejectsWith("BLOB_DISK_BUDGET_EXCEEDED", () => store.put([seededBuffer("2", 4001)]));
  await rejectsWith("BLOB_DISK_BUDGET_EXCEEDED", () => store.put([], { declaredSizeBytes: 4001 }));
  const both = await Promise.allSettled([
    store.put(seededBytes("3", 3000, 500)),
    store.put(seededBytes("4", 3000, 500)),
  ]);
  assert.equal(both.filter(({ status }) => status === "fulfilled").length <= 1, true);
  const again = await FileBlobStore.open(options);
  assert.equal(again.usage.usedBytes, store.usage.usedBytes);
  await again.delete(first.sha256);
  await again.put([seededBuffer("5", 6000)]);
});

test("puts are refused while the disk is nearly full or is full", async () => {
  const disk = new SimulatedDisk();
  disk.freeSpaceBytes = 1_000_000;
  const store = await FileBlobStore.open({ folder: FOLDER, fileSystem: disk, minFreeBytes: 1_000_001 });
  await rejectsWith("BLOB_FREE_SPACE_LOW", () => store.put([]));
  disk.freeSpaceBytes = 1_000_001;
  await store.put([]);
  const full = Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
  disk.failWrites = full;
  await rejectsWith("BLOB_FREE_SPACE_LOW", () => store.put([new Uint8Array(1)]));
});

test("the list has every blob in order and goes on after any name; foreign files are not in it", async () => {
  await using folder = await temporaryFolder();
  await using store = await FileBlobStore.open({ folder: folder.path });
  const names: string[] = [];
  for (let index = 0; index < 40; index += 1) {
    names.push((await store.put([seededBuffer(`list${index}`, index)])).sha256);
  }
  await writeFile(join(folder.path, "00", "README"), "not a blob");
  names.sort();
  const list = async (after?: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const blob of store.list(after === undefined ? {} : { after })) found.push(blob.sha256);
    return found;
  };
  assert.deepEqual(await list(), names);
  for (const cut of [0, 17, 39]) assert.deepEqual(await list(names[cut]), names.slice(cut + 1));
});

test("closing ends what runs, leaves nothing of it and refuses what comes later", async () => {
  const disk = new SimulatedDisk();
  const store = await FileBlobStore.open({ folder: FOLDER, fileSystem: disk });
  const started = Promise.withResolvers<void>();
  const silent = async function* (): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    started.resolve();
    await new Promise(() => {});
  };
  const put = rejectsWith("BLOB_STORE_CLOSED", () => store.put(silent()));
  await started.promise;
  await store[Symbol.asyncDispose]();
  await put;
  assert.deepEqual(disk.paths(), []);
  await rejectsWith("BLOB_STORE_CLOSED", () => store.put([]));
});

test("temporary files of a process that died are removed at start", async () => {
  await using folder = await temporaryFolder();
  await (await FileBlobStore.open({ folder: folder.path }))[Symbol.asyncDispose]();
  await writeFile(join(folder.path, "tmp", "left"), "half a file");
  await using _store = await FileBlobStore.open({ folder: folder.path });
  assert.deepEqual(await readdir(join(folder.path, "tmp")), []);
});

test("a reader keeps its blob while it is deleted", async () => {
  await using folder = await temporaryFolder();
  await using store = await FileBlobStore.open({ folder: folder.path });
  const bytes = seededBuffer("open", 600_000);
  const { sha256: name } = await store.put([bytes]);
  await using reader = await store.open(name);
  assert.ok(reader);
  await store.delete(name);
  assert.deepEqual(await drain(reader.read()), Buffer.from(bytes));
});
