import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type { ContentStore } from "../../../src/blobs/content-store.ts";
import { drain, seededBuffer, seededBytes, sha256 } from "../bytes.ts";
import { eventually } from "../eventually.ts";
import { rejectsWith } from "../expect-code.ts";
import { carFixture, kubo } from "../kubo-vectors.ts";
import { readTar } from "../tar-reader.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type EngineTraits, openStore, type TestedEngine } from "./tested-engine.ts";

interface Ground extends AsyncDisposable {
  readonly tested: TestedEngine;
  readonly store: ContentStore;
  reopen(): Promise<ContentStore>;
}

async function prepare(traits: EngineTraits): Promise<Ground> {
  const folder = await temporaryFolder();
  const tested = await traits.fresh(folder.path);
  const first = await openStore(folder.path, tested);
  let store = first;
  return {
    tested,
    store: first,
    async reopen() {
      await store[Symbol.asyncDispose]();
      store = await openStore(folder.path, tested);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What a content store does over every engine: names, DAGs, directories, and that nothing is left of what goes. */
export function describeContents(traits: EngineTraits): void {
  describe(`contents on ${traits.name}`, { skip: traits.skip, timeout: 180_000 }, () => {
    test("a file is held under its three names, which are those that Kubo gave", async () => {
      await using ground = await prepare(traits);
      const { store } = ground;
      for (const vector of kubo.files.filter(({ sizeBytes }) => sizeBytes <= 1_000_000)) {
        const added = await store.addFile(seededBytes(vector.seed, vector.sizeBytes), ["cidV0", "fixedCid"]);
        assert.equal(added.sha256, vector.sha256);
        assert.equal(added.dags.get("cidV0")?.root, vector.cidV0);
        assert.equal(added.dags.get("fixedCid")?.root, vector.cidV1);
        for (const name of [vector.sha256, vector.cidV0, vector.cidV1]) {
          assert.equal(sha256(await drain(store.read(name))), vector.sha256);
        }
        assert.deepEqual(await store.stat(vector.cidV0), { type: "file", ...vector.v0 });
      }
    });

    test("content lives as long as one of its names, and then nothing of it is left", async () => {
      const bytes = seededBuffer("names", 300_000);
      const put = { sha256: sha256(bytes), cidV0: "", fixedCid: "" };
      const names = ["sha256", "cidV0", "fixedCid"] as const;
      const step = fc.record({ name: fc.constantFrom(...names), isAdded: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 8 }), async (steps) => {
          await using ground = await prepare(traits);
          const { store, tested } = ground;
          const held = new Set<(typeof names)[number]>();
          for (const { name, isAdded } of steps) {
            if (!isAdded) {
              if (put[name] !== "") await store.remove(put[name]);
              held.delete(name);
            } else {
              if (name === "sha256") await store.putFile([bytes]);
              else put[name] = (await store.addFile([bytes], [name])).dags.get(name)?.root ?? "";
              held.add(name);
            }
            for (const one of held) assert.deepEqual(await drain(store.read(put[one])), Buffer.from(bytes));
            assert.equal((await tested.held()).length > 0, held.size > 0);
          }
          for (const one of held) await store.remove(put[one]);
          assert.deepEqual(await tested.held(), []);
        }),
        { numRuns: 6 },
      );
    });

    test("CARs that Kubo made are taken, read in ranges and given back; nothing is left of them", async () => {
      await using ground = await prepare(traits);
      const { store, tested } = ground;
      for (const vector of kubo.foreign) {
        const car = carFixture(vector.name);
        await Promise.all([store.importCar([car]), store.importCar([car], { expectedRoot: vector.root })]);
        const bytes = seededBuffer("foreign", vector.sizeBytes);
        assert.deepEqual(await drain(store.exportCar(vector.root)), Buffer.from(car));
        assert.deepEqual(await drain(store.read(vector.root)), Buffer.from(bytes));
        const range = { offsetBytes: 5_000, lengthBytes: 7_001 };
        assert.deepEqual(
          await drain(store.read(vector.root, { range })),
          Buffer.from(bytes.subarray(5_000, 12_001)),
        );
        assert.equal(await store.remove(vector.root), true);
        assert.equal(await store.remove(vector.root), false);
        assert.equal(await store.stat(vector.root), undefined);
      }
      assert.deepEqual(await tested.held(), []);
    });

    test("a CAR that is refused leaves nothing", async () => {
      await using ground = await prepare(traits);
      const { store, tested } = ground;
      const car = carFixture("size-1000");
      await rejectsWith("CAR_TRUNCATED", () => store.importCar([car.subarray(0, 5_000)]));
      const forged = Buffer.from(car);
      forged[10_000] = (forged[10_000] ?? 0) ^ 1;
      await rejectsWith("BLOCK_HASH_MISMATCH", () => store.importCar([forged]));
      assert.deepEqual(await tested.held(), []);
    });

    test("a directory is read as a tar", async () => {
      await using ground = await prepare(traits);
      const { store, tested } = ground;
      const large = seededBuffer("large", 700_000);
      const entries = [
        { path: "a.txt", content: [Buffer.from("a")] },
        { path: "deep/er/large.bin", content: [large] },
      ];
      const { record } = await store.addDirectory(entries, 1);
      const files = new Map(
        readTar(await drain(store.archive(record.root)))
          .filter(({ typeFlag }) => typeFlag === "0")
          .map(({ path, content }) => [path, sha256(content)]),
      );
      assert.equal(files.get(`${record.root}/a.txt`), sha256(Buffer.from("a")));
      assert.equal(files.get(`${record.root}/deep/er/large.bin`), sha256(large));
      await store.remove(record.root);
      assert.deepEqual(await tested.held(), []);
    });

    test("what was acknowledged is there after a restart, and packs nobody names are not", async () => {
      await using ground = await prepare(traits);
      const bytes = seededBuffer("again", 300_000);
      const vector = kubo.foreign[0];
      assert.ok(vector);
      const root = (await ground.store.addFile([bytes], ["cidV0"])).dags.get("cidV0")?.root ?? "";
      await ground.store.importCar([carFixture(vector.name)]);
      const held = await ground.tested.held();
      await ground.store.packs.put([seededBuffer("nobody's", 10)]);
      assert.notDeepEqual(await ground.tested.held(), held);
      const store = await ground.reopen();
      assert.deepEqual(await drain(store.read(root)), Buffer.from(bytes));
      assert.equal((await drain(store.read(vector.root))).length, vector.sizeBytes);
      await eventually(async () => isDeepStrictEqual(await ground.tested.held(), held));
    });
  });
}
