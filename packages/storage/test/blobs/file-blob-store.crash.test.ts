import assert from "node:assert/strict";
import { test } from "node:test";
import { createSeededRandom } from "@twentysix/platform";
import fc from "fast-check";
import { FileBlobStore } from "../../src/blobs/file-blob-store.ts";
import { drain, seededBuffer, seededBytes, sha256 } from "./bytes.ts";
import { SimulatedDisk, type Survival } from "./simulated-disk.ts";

const FOLDER = "/data/blobs";
const NAMES = Array.from({ length: 6 }, (_, index) => `crash${index}`);
const sizeOf = (name: string): number => 100 + name.length * 37;

/** Puts (in pairs) and one deletion until the power fails; says what was acknowledged and what was asked. */
async function workUntilPowerLoss(
  disk: SimulatedDisk,
): Promise<{ acknowledged: Set<string>; deleting?: string }> {
  const acknowledged = new Set<string>();
  let deleting: string | undefined;
  try {
    const store = await FileBlobStore.open({ folder: FOLDER, fileSystem: disk });
    for (let index = 0; index < NAMES.length; index += 2) {
      const pair = NAMES.slice(index, index + 2).map(async (name) => {
        const put = await store.put(seededBytes(name, sizeOf(name), 64));
        acknowledged.add(put.sha256);
      });
      for (const outcome of await Promise.allSettled(pair)) {
        if (outcome.status === "rejected") throw outcome.reason;
      }
    }
    deleting = [...acknowledged][0];
    if (deleting !== undefined) await store.delete(deleting);
  } catch {
    // The machine is off: what counts is what is found after the restart.
  }
  return deleting === undefined ? { acknowledged } : { acknowledged, deleting };
}

async function assertNothingLost(
  disk: SimulatedDisk,
  acknowledged: Set<string>,
  deleting?: string,
): Promise<void> {
  const store = await FileBlobStore.open({ folder: FOLDER, fileSystem: disk });
  for (const name of acknowledged) {
    if (name !== deleting) assert.equal(await store.has(name), true, `acknowledged blob ${name} is gone`);
  }
  let usedBytes = 0;
  for await (const blob of store.list()) {
    usedBytes += blob.sizeBytes;
    assert.equal(sha256(await drain(store.get(blob.sha256))), blob.sha256, "a torn blob can be seen");
  }
  assert.equal(store.usage.usedBytes, usedBytes);
  assert.deepEqual(
    disk.paths().filter((path) => path.includes("/tmp/")),
    [],
  );
}

async function countOperations(): Promise<number> {
  const disk = new SimulatedDisk();
  await workUntilPowerLoss(disk);
  return disk.operations;
}

test("power may fail at any operation: every acknowledged blob survives and no torn one is seen", async () => {
  const operations = await countOperations();
  for (let at = 1; at <= operations + 1; at += 1) {
    const disk = new SimulatedDisk();
    disk.failAtOperation = at;
    const { acknowledged, deleting } = await workUntilPowerLoss(disk);
    disk.crash();
    await assertNothingLost(disk, acknowledged, deleting);
  }
});

test("the same when some of the unsynced writes reached the disk, torn and out of order", async () => {
  const operations = await countOperations();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 250, max: operations + 1 }), fc.nat(), async (at, seed) => {
      const random = createSeededRandom(seed);
      const survival: Survival = { chance: () => random.uniform(1000) / 1000 };
      const disk = new SimulatedDisk();
      disk.failAtOperation = at;
      const { acknowledged, deleting } = await workUntilPowerLoss(disk);
      disk.crash(survival);
      await assertNothingLost(disk, acknowledged, deleting);
    }),
    { numRuns: 150 },
  );
});

test("puts at the same moment share the sync of their folder", async () => {
  const disk = new SimulatedDisk();
  const store = await FileBlobStore.open({ folder: FOLDER, fileSystem: disk });
  const before = { files: disk.fileSyncs, directories: disk.directorySyncs };
  const puts = 1000;
  const names = await Promise.all(
    Array.from({ length: puts }, (_, index) => store.put([seededBuffer(`small${index}`, 20)])),
  );
  const shards = new Set(names.map(({ sha256: name }) => name.slice(0, 2))).size;
  assert.equal(disk.fileSyncs - before.files, puts, "one sync for each file");
  const directorySyncs = disk.directorySyncs - before.directories;
  assert.ok(directorySyncs >= shards, "each folder is synced");
  assert.ok(
    directorySyncs <= 2 * shards,
    `${directorySyncs} folder syncs for ${puts} puts in ${shards} folders`,
  );
});
