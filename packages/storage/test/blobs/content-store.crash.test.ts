import assert from "node:assert/strict";
import { test } from "node:test";
import type { BlockIndex } from "../../src/blobs/block-index.ts";
import { drain, seededBytes, sha256 } from "./bytes.ts";
import { memoryStore } from "./dag-fixtures.ts";
import { carFixture, kubo } from "./kubo-vectors.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

const car = kubo.foreign[0];
const file = kubo.files.find(({ sizeBytes }) => sizeBytes === 524_288);

/** An import, a file under two DAGs, and a removal, until the power fails. */
async function workUntilPowerLoss(
  fileSystem: SimulatedDisk,
): Promise<{ index?: BlockIndex; held: string[] }> {
  const held: string[] = [];
  let index: BlockIndex | undefined;
  try {
    const { store } = await memoryStore({ fileSystem });
    index = store.index;
    held.push((await store.importCar([carFixture(car?.name ?? "")])).record.root);
    const added = await store.addFile(seededBytes(file?.seed ?? "", 524_288), ["cidV0", "fixedCid"]);
    held.push(...[...added.dags.values()].map(({ root }) => root));
    const removed = held.shift() ?? "";
    await store.remove(removed);
  } catch {
    // The machine is off: what counts is what is found after the restart.
  }
  return index === undefined ? { held } : { index, held };
}

test("power may fail at any operation: what the index names is there, and nothing is left over", async () => {
  const counting = new SimulatedDisk();
  await memoryStore({ fileSystem: counting });
  const opening = counting.operations; // making the folders is tried elsewhere
  const whole = new SimulatedDisk();
  await workUntilPowerLoss(whole);
  for (let at = opening; at <= whole.operations + 1; at += 1) {
    const disk = new SimulatedDisk();
    disk.failAtOperation = at;
    // The index outlives the power loss: its own durability is SQLite's.
    const { index, held } = await workUntilPowerLoss(disk);
    disk.crash();
    const { store } = await memoryStore({ fileSystem: disk, ...(index === undefined ? {} : { index }) });
    for (const root of held) assert.ok(await store.index.find(root), "an acknowledged DAG is forgotten");
    let packs = 0;
    for await (const record of store.index.list()) {
      packs += record.pack === undefined ? 0 : 1;
      const bytes = await drain(store.read(record.root));
      const expected = record.root === car?.root ? 20_000 : 524_288;
      assert.equal(bytes.length, expected);
      if (record.file !== undefined) assert.equal(sha256(bytes), record.file);
      await drain(store.exportCar(record.root));
    }
    const onDisk = disk.paths().filter((path) => path.includes("/packs/")).length;
    assert.equal(onDisk, packs, "a pack that no DAG has is left");
  }
});
