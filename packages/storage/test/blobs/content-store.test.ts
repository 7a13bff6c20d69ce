import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cutBytes, drain, seededBuffer, seededBytes, sha256 } from "./bytes.ts";
import { bomb, carOf, folderStore, memoryStore, rawBlock } from "./dag-fixtures.ts";
import { rejectsWith } from "./expect-code.ts";
import { carFixture, kubo } from "./kubo-vectors.ts";
import { temporaryFolder } from "./temporary-folder.ts";

test("a file is held under its SHA-256, its CIDv0 and its fixed CID, its bytes once on the disk", async () => {
  const { store } = await memoryStore();
  const vector = kubo.files.find(({ sizeBytes }) => sizeBytes === 1_000_000);
  assert.ok(vector);
  const added = await store.addFile(seededBytes(vector.seed, vector.sizeBytes), ["cidV0", "fixedCid"]);
  assert.equal(added.sha256, vector.sha256);
  assert.equal(added.dags.get("cidV0")?.root, vector.cidV0);
  assert.equal(added.dags.get("fixedCid")?.root, vector.cidV1);
  assert.ok(store.usage.usedBytes < 1_002_000, "nodes above the leaves take hundreds of bytes");
  for (const name of [vector.sha256, vector.cidV0, vector.cidV1]) {
    assert.equal(sha256(await drain(store.read(name))), vector.sha256);
    const range = { offsetBytes: 262_140, lengthBytes: 300_000 };
    const bytes = seededBuffer(vector.seed, vector.sizeBytes).subarray(262_140, 562_140);
    assert.deepEqual(await drain(store.read(name, { range })), Buffer.from(bytes));
  }
  assert.deepEqual(await store.stat(vector.cidV0), { type: "file", ...vector.v0 });
  assert.deepEqual(await store.stat(vector.cidV1), { type: "file", ...vector.v1 });
});

test("the blocks of a file that is kept plain make the CAR that another node takes", async () => {
  const { store } = await memoryStore();
  const { store: other } = await memoryStore();
  for (const vector of kubo.files.filter(({ sizeBytes }) => sizeBytes <= 1_000_000)) {
    await store.addFile(seededBytes(vector.seed, vector.sizeBytes), ["cidV0", "fixedCid"]);
    for (const root of [vector.cidV0, vector.cidV1]) {
      const { record } = await other.importCar(store.exportCar(root), { expectedRoot: root });
      assert.equal(record.root, root);
      assert.equal(sha256(await drain(other.read(root))), vector.sha256);
    }
  }
});

for (const vector of kubo.foreign) {
  test(`a CAR that Kubo made with ${vector.options} is taken, read in ranges and given back`, async () => {
    const { store } = await memoryStore();
    const car = carFixture(vector.name);
    const { record, facts } = await store.importCar(cutBytes(car, [7, 1000]), { expectedRoot: vector.root });
    const { root, type, sizeBytes, cumulativeSizeBytes } = record;
    assert.deepEqual(
      { root, sizeBytes, cumulativeSizeBytes },
      {
        root: vector.root,
        sizeBytes: vector.sizeBytes,
        cumulativeSizeBytes: vector.cumulativeSizeBytes,
      },
    );
    assert.equal(type, "file");
    assert.equal(facts.cumulativeBytes, vector.cumulativeSizeBytes);
    assert.deepEqual(await drain(store.exportCar(vector.root)), Buffer.from(car));
    const bytes = seededBuffer("foreign", vector.sizeBytes);
    assert.deepEqual(await drain(store.read(vector.root)), Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.nat(20_000), fc.nat(20_000), async (offsetBytes, lengthBytes) => {
        const piece = bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
        const range = { offsetBytes, lengthBytes };
        assert.deepEqual(await drain(store.read(vector.root, { range })), Buffer.from(piece));
      }),
      { numRuns: 20 },
    );
  });
}

for (const name of ["site", "unicode"]) {
  test(`the directory ${name} that Kubo exported goes through unchanged`, async () => {
    const vector = kubo.directories.find(
      (directory) => directory.name === (name === "site" ? "single" : name),
    );
    assert.ok(vector);
    const root = name === "site" ? vector.cidV0 : vector.cidV1;
    const { store } = await memoryStore();
    const car = carFixture(name);
    const { record } = await store.importCar([car], { expectedRoot: root });
    assert.equal(record.type, "dir");
    const expected = name === "site" ? vector.cumulativeSizeBytesV0 : vector.cumulativeSizeBytesV1;
    assert.equal(record.cumulativeSizeBytes, expected);
    assert.deepEqual(await drain(store.exportCar(root)), Buffer.from(car));
    await rejectsWith("DAG_NOT_FILE", () => drain(store.read(root)));
  });
}

test("a file with an expected root is refused, and not kept, when it has another", async () => {
  const { store, disk } = await memoryStore();
  const [vector] = kubo.files.filter(({ sizeBytes }) => sizeBytes === 1000);
  assert.ok(vector);
  const expectedRoot = vector.cidV0;
  await rejectsWith("BLOB_HASH_MISMATCH", () =>
    store.addFile([new Uint8Array(1000)], ["cidV0"], { expectedRoot }),
  );
  assert.deepEqual(disk.paths(), []);
  await store.addFile(seededBytes(vector.seed, 1000), ["cidV0"], { expectedRoot });
});

test("content lives as long as one of its names, in whatever order names come and go", async () => {
  const bytes = seededBuffer("names", 300_000);
  const put = { sha256: sha256(bytes), cidV0: "", fixedCid: "" };
  const names = ["sha256", "cidV0", "fixedCid"] as const;
  const step = fc.record({ name: fc.constantFrom(...names), isAdded: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const { store, disk } = await memoryStore();
      const held = new Set<string>();
      for (const { name, isAdded } of steps) {
        if (!isAdded) {
          if (put[name] !== "") await store.remove(put[name]);
          held.delete(name);
        } else {
          if (name === "sha256") await store.putFile([bytes]);
          else put[name] = (await store.addFile([bytes], [name])).dags.get(name)?.root ?? "";
          held.add(name);
        }
        for (const one of held)
          assert.deepEqual(await drain(store.read(put[one as "cidV0"])), Buffer.from(bytes));
        const files = disk.paths().filter((path) => path.includes("/files/")).length;
        assert.equal(files, held.size > 0 ? 1 : 0);
        const packs = disk.paths().filter((path) => path.includes("/packs/")).length;
        assert.equal(packs, [...held].filter((one) => one !== "sha256").length);
      }
    }),
    { numRuns: 60 },
  );
});

test("the same when additions and removals run at once: nothing acknowledged is lost", async () => {
  const bytes = seededBuffer("at once", 300_000);
  const name = sha256(bytes);
  for (let round = 0; round < 20; round += 1) {
    const { store, disk } = await memoryStore();
    const first = await store.addFile(cutBytes(bytes, [50_000]), ["cidV0"]);
    const root = first.dags.get("cidV0")?.root ?? "";
    await Promise.all([
      store.remove(root),
      store.putFile(cutBytes(bytes, [10_000 + round * 7000])),
      store.addFile(cutBytes(bytes, [100_000 + round]), ["fixedCid"]),
      store.addFile(cutBytes(bytes, [30_000]), ["fixedCid"]),
    ]);
    assert.deepEqual(await drain(store.read(name)), Buffer.from(bytes));
    await store.remove(name);
    const description = await store.putFile([], { names: ["fixedCid"] });
    assert.ok(description.fixedCid);
    const fixed = [...(await store.index.rootsOfFile(name))].map((record) => record.root);
    for (const one of fixed) assert.deepEqual(await drain(store.read(one)), Buffer.from(bytes));
    for (const one of fixed) await store.remove(one);
    assert.equal(await store.files.has(name), false);
    assert.equal(disk.paths().filter((path) => path.includes("/packs/")).length, 0);
  }
});

test("the same CAR sent twice at once is one DAG, and goes whole", async () => {
  const { store, disk } = await memoryStore();
  const vector = kubo.foreign[0];
  assert.ok(vector);
  const car = carFixture(vector.name);
  await Promise.all([store.importCar([car]), store.importCar(cutBytes(car, [10])), store.importCar([car])]);
  await drain(store.read(vector.root));
  assert.equal(await store.remove(vector.root), true);
  assert.equal(await store.remove(vector.root), false);
  assert.equal(await store.stat(vector.root), undefined);
  assert.deepEqual(disk.paths(), []);
});

test("files and packs share one budget", async () => {
  const { store } = await memoryStore({ maxBytes: 30_000 });
  await store.putFile([new Uint8Array(10_000)]);
  const car = carFixture("size-1000");
  await rejectsWith("BLOB_DISK_BUDGET_EXCEEDED", () => store.importCar([car]));
  assert.equal(store.usage.usedBytes, 10_000);
});

test("a damaged leaf is found when it is read, and the intact copy of the same block is used", async () => {
  const { store, disk } = await memoryStore();
  const bytes = seededBuffer("damage", 600_000);
  const added = await store.addFile([bytes], ["fixedCid"]);
  const root = added.dags.get("fixedCid")?.root ?? "";
  const car = await drain(store.exportCar(root));
  disk.damage(`/store/files/${added.sha256.slice(0, 2)}/${added.sha256}`, (old) => {
    const copy = Buffer.from(old);
    copy[300_000] = (copy[300_000] ?? 0) ^ 1;
    return copy;
  });
  await rejectsWith("BLOB_CORRUPT", () => drain(store.exportCar(root)));
  const pair = rawBlock(bytes.subarray(262_144, 524_288));
  await store.importCar([carOf([pair.cid], [pair])]);
  assert.deepEqual(await drain(store.exportCar(root)), car);
});

test("what was acknowledged is there after the store is opened again, and packs nobody names are not", async () => {
  await using folder = await temporaryFolder();
  const bytes = seededBuffer("again", 300_000);
  const vector = kubo.foreign[0];
  assert.ok(vector);
  let root = "";
  {
    await using store = await folderStore(folder.path);
    root = (await store.addFile([bytes], ["cidV0"])).dags.get("cidV0")?.root ?? "";
    await store.importCar([carFixture(vector.name)]);
    await store.packs.put([seededBuffer("nobody's", 10)]);
  }
  await using store = await folderStore(folder.path);
  assert.deepEqual(await drain(store.read(root)), Buffer.from(bytes));
  assert.equal((await drain(store.read(vector.root))).length, vector.sizeBytes);
  let packs = 0;
  for await (const _ of store.packs.list()) packs += 1;
  assert.equal(packs, 2);
  const roots: string[] = [];
  for await (const record of store.index.list()) roots.push(record.root);
  assert.deepEqual(roots, [root, vector.root].sort());
});

test("a CAR of kilobytes that claims petabytes costs kilobytes", async () => {
  const { store } = await memoryStore();
  const { root, blocks } = bomb(1000, 174, 5);
  const { record, facts } = await store.importCar([carOf([root], blocks)]);
  assert.equal(record.sizeBytes, 1000 * 174 ** 5);
  assert.equal(facts.blockCount, 6);
  assert.ok(facts.storedBytes < 60_000);
  assert.equal(facts.cumulativeBytes, record.cumulativeSizeBytes);
  const range = { offsetBytes: 1000 * 174 ** 5 - 5 };
  assert.equal((await drain(store.read(root.toString(), { range }))).length, 5);
  await rejectsWith("ARCHIVE_LIMIT_EXCEEDED", () =>
    drain(store.archive(root.toString(), { maxBytes: 100_000 })),
  );
  const larger = bomb(1000, 174, 8);
  const error = await rejectsWith("DAG_TOO_LARGE", () =>
    store.importCar([carOf([larger.root], larger.blocks)]),
  );
  assert.ok(error.details.maxCumulativeBytes);
});

test("a DAG given as blocks is taken in any order, and each block is held against its hash", async () => {
  const { store, disk } = await memoryStore();
  const { root, blocks } = bomb(1000, 3, 3);
  const [first, ...rest] = blocks;
  assert.ok(first);
  const forged = { cid: first.cid, bytes: new Uint8Array(first.bytes.length) };
  await rejectsWith("BLOCK_HASH_MISMATCH", () => store.addDag(root, [...rest, forged]));
  const large = rawBlock(new Uint8Array(2 * 1024 * 1024 + 1));
  await rejectsWith("BLOCK_TOO_LARGE", () => store.addDag(large.cid, [large]));
  await rejectsWith("DAG_INCOMPLETE", () => store.addDag(root, rest));
  assert.deepEqual(disk.paths(), []);
  await store.addDag(root, blocks.toReversed());
  assert.equal((await drain(store.read(root.toString()))).length, 27_000);
});

test("a file put under its SHA-256 says the other names that were asked for", async () => {
  const { store } = await memoryStore();
  const vector = kubo.files.find(({ sizeBytes }) => sizeBytes === 524_288);
  assert.ok(vector);
  const put = await store.putFile(seededBytes(vector.seed, vector.sizeBytes), {
    names: ["sha256", "cidV0", "fixedCid"],
    expectedHash: vector.sha256,
  });
  assert.deepEqual(put, {
    sha256: vector.sha256,
    sizeBytes: vector.sizeBytes,
    isNew: true,
    cidV0: vector.cidV0,
    fixedCid: vector.cidV1,
  });
  assert.deepEqual(await store.stat(vector.sha256), {
    type: "file",
    sizeBytes: vector.sizeBytes,
    cumulativeSizeBytes: vector.sizeBytes,
  });
  assert.equal(await store.stat(vector.cidV0), undefined);
});

test("closing ends an import, leaves nothing of it and can be waited for", async () => {
  const { store, disk } = await memoryStore();
  const started = Promise.withResolvers<void>();
  const silent = async function* (): AsyncGenerator<Uint8Array> {
    yield carFixture("size-1000").subarray(0, 5000);
    started.resolve();
    await new Promise(() => {});
  };
  const outcome = rejectsWith("BLOB_STORE_CLOSED", () => store.importCar(silent()));
  await started.promise;
  await store[Symbol.asyncDispose]();
  await outcome;
  assert.deepEqual(disk.paths(), []);
});

test("a folder that cannot be made is an error of the system, not a wait for ever", {
  timeout: 10_000,
}, async () => {
  await assert.rejects(folderStore("/proc/x/files"), { code: "ENOENT" });
});
