import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { FileBlobStore } from "../../src/blobs/file-blob-store.ts";
import { seededBuffer, seededBytes } from "./bytes.ts";
import { rejectsWith } from "./expect-code.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const FOLDER = "/store";

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

test("foreign files in the folders are not listed", async () => {
  await using folder = await temporaryFolder();
  await using store = await FileBlobStore.open({ folder: folder.path });
  const { sha256: name } = await store.put([seededBuffer("ours", 10)]);
  await writeFile(join(folder.path, "00", "README"), "not a blob");
  assert.deepEqual(await Array.fromAsync(store.list()), [{ sha256: name, sizeBytes: 10 }]);
});

test("temporary files of a process that died are removed at start", async () => {
  await using folder = await temporaryFolder();
  await (await FileBlobStore.open({ folder: folder.path }))[Symbol.asyncDispose]();
  await writeFile(join(folder.path, "tmp", "left"), "half a file");
  await using _store = await FileBlobStore.open({ folder: folder.path });
  assert.deepEqual(await readdir(join(folder.path, "tmp")), []);
});
