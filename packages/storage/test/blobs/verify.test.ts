import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCid } from "../../src/blobs/cids.ts";
import { auditDag } from "../../src/blobs/dag-walk.ts";
import { FileBlobStore } from "../../src/blobs/file-blob-store.ts";
import { type ScrubResult, scrub } from "../../src/blobs/scrub.ts";
import { verifyFileAgainst } from "../../src/blobs/verify-file.ts";
import { seededBuffer, seededBytes, sha256 } from "./bytes.ts";
import { blockMap, bomb, fileNode, memoryStore, rawBlock } from "./dag-fixtures.ts";
import { rejectsWith } from "./expect-code.ts";
import { carFixture, kubo } from "./kubo-vectors.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

test("bytes prove any name that a usual layout gives them, and no other", async () => {
  for (const vector of kubo.files.filter(({ sizeBytes }) => sizeBytes <= 1_000_000)) {
    const names = [
      vector.sha256,
      vector.cidV0,
      vector.cidV1,
      vector.cidV1WithoutRawLeaves,
      vector.cidV1Of1MiBChunks,
    ];
    for (const name of names) {
      const bytes = (): Iterable<Uint8Array> => seededBytes(vector.seed, vector.sizeBytes);
      assert.equal(await verifyFileAgainst(name, bytes()), "verified", name);
      const wrong = await verifyFileAgainst(name, [...bytes(), Uint8Array.of(0)]);
      assert.equal(wrong, name === vector.sha256 ? "mismatch" : "unproven");
    }
  }
});

test("bytes of a file that was cut otherwise are proven by its blocks", async () => {
  const { store } = await memoryStore();
  const bytes = seededBuffer("foreign", 20_000);
  for (const { name, root } of kubo.foreign) {
    const isUsual = await verifyFileAgainst(root, [bytes]);
    assert.equal(isUsual, "unproven");
    assert.equal(await verifyFileAgainst(root, [bytes], { blocks: store.blocks }), "unproven");
    await store.importCar([carFixture(name)]);
    assert.equal(await verifyFileAgainst(root, [bytes], { blocks: store.blocks }), "verified");
    const longer = [bytes, Uint8Array.of(1)];
    assert.equal(await verifyFileAgainst(root, longer, { blocks: store.blocks }), "mismatch");
  }
});

test("a name that is neither a hash nor a CID is refused", async () => {
  for (const name of ["", "Qm", "A".repeat(64), "bafy"]) {
    await rejectsWith("CID_INVALID", () => verifyFileAgainst(name, []));
  }
  const cbor = "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua";
  await rejectsWith("CID_UNSUPPORTED", () => verifyFileAgainst(cbor, []));
});

test("an audit counts what is there, whatever the nodes claim", async () => {
  const leaf = rawBlock(new Uint8Array(1000));
  const liar = fileNode([{ cid: leaf.cid, contentBytes: 1000, cumulativeBytes: 1 }]);
  const facts = await auditDag(liar.cid, blockMap([leaf, liar]));
  assert.equal(facts.cumulativeBytes, 1000 + liar.bytes.byteLength);
  const large = bomb(100, 174, 6);
  const counted = await auditDag(large.root, blockMap(large.blocks));
  assert.equal(counted.blockCount, 7);
  assert.ok(counted.cumulativeBytes > 100 * 174 ** 6);
  await rejectsWith("BLOCK_NOT_FOUND", () => auditDag(liar.cid, blockMap([liar])));
});

test("a scrub finds the blobs that have changed and goes on where it stopped", async () => {
  const disk = new SimulatedDisk();
  const store = await FileBlobStore.open({ folder: "/s", fileSystem: disk });
  const names: string[] = [];
  for (let index = 0; index < 10; index += 1) {
    names.push((await store.put([seededBuffer(`scrub${index}`, 300 + index)])).sha256);
  }
  names.sort();
  const damaged = [names[2], names[7]];
  for (const name of damaged) {
    disk.damage(`/s/${name?.slice(0, 2)}/${name}`, (bytes) => bytes.subarray(0, bytes.length - 1));
  }
  const run = async (after?: string): Promise<ScrubResult[]> =>
    Array.fromAsync(scrub(store, after === undefined ? {} : { after }));
  const results = await run();
  assert.deepEqual(
    results.map((result) => result.sha256),
    names,
  );
  assert.deepEqual(
    results.filter(({ isIntact }) => !isIntact).map((result) => result.sha256),
    damaged,
  );
  assert.deepEqual(
    (await run(names[5])).map((result) => result.sha256),
    names.slice(6),
  );
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(Array.fromAsync(scrub(store, { signal })), /enough/);
  assert.equal(sha256(new Uint8Array()).length, 64);
});

test("a CID is the same whatever the text it was written in", () => {
  const vector = kubo.files[0];
  assert.ok(vector);
  for (const text of [vector.cidV0, vector.cidV1]) assert.equal(parseCid(text).toString(), text);
});
