import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { createMemoryLogger } from "@twentysix/platform";
import { CID } from "multiformats/cid";
import { createBlobEngine } from "../../src/blobs/create-engine.ts";
import { drain, seededBuffer, seededBytes } from "./bytes.ts";
import { kuboDaemon, kuboServer } from "./engines/kubo.ts";
import { openStore, remoteParts } from "./engines/tested-engine.ts";
import { eventually } from "./eventually.ts";
import { rejectsWith } from "./expect-code.ts";
import { carFixture, kubo } from "./kubo-vectors.ts";
import { temporaryFolder } from "./temporary-folder.ts";

after(() => kuboDaemon[Symbol.asyncDispose]());

async function ground() {
  const folder = await temporaryFolder();
  const store = await openStore(folder.path, await kuboDaemon.fresh(folder.path));
  const server = await kuboServer();
  return {
    store,
    server,
    client: server.client,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe("what Kubo shows of the blobs", { skip: kuboDaemon.skip, timeout: 180_000 }, () => {
  test("files stand there under the CIDs that this node computed, pinned, as any IPFS node would find them", async () => {
    await using place = await ground();
    const { store, server, client } = place;
    for (const vector of kubo.files.filter(({ sizeBytes }) => sizeBytes <= 1_000_000)) {
      for (const [layout, cid] of [
        ["cidV0", vector.cidV0],
        ["fixedCid", vector.cidV1],
      ] as const) {
        const put = await store.files.put(seededBytes(vector.seed, vector.sizeBytes), { layout });
        assert.ok((await server.pins()).includes(cid), `${cid} is not pinned`);
        assert.deepEqual(
          await drain(client.cat(cid)),
          Buffer.from(seededBuffer(vector.seed, vector.sizeBytes)),
        );
        await store.files.delete(put.sha256);
        assert.deepEqual(await server.pins(), []);
      }
    }
  });

  test("its own `add` gives the names that this node gives, for files and directories", async () => {
    await using place = await ground();
    const { store, client } = place;
    const bytes = seededBuffer("both", 46_000_001);
    const names = await store.putFile([bytes], { names: ["cidV0", "cidV1"] });
    const v0 = await client.add(bytes, { pin: false });
    const v1 = await client.add(bytes, { pin: false, cidVersion: 1, rawLeaves: true });
    assert.deepEqual([v0.cid.toString(), v1.cid.toString()], [names.cidV0, names.cidV1]);
    const entries = [
      { path: "a/b.txt", content: Buffer.from("b") },
      { path: "a/deep/large.bin", content: Buffer.from(seededBuffer("nested", 600_000)) },
      { path: "z.txt", content: Buffer.from("z") },
    ];
    for (const cidVersion of [0, 1] as const) {
      const options = { cidVersion, rawLeaves: cidVersion === 1, wrapWithDirectory: true, pin: false };
      const added = await Array.fromAsync(client.addAll(entries, options));
      const ours = entries.map(({ path, content }) => ({ path, content: [content] }));
      assert.equal((await store.addDirectory(ours, cidVersion)).record.root, added.at(-1)?.cid.toString());
    }
  });

  test("directories are pinned block by block under their roots, and unpinned with their removal", async () => {
    await using place = await ground();
    const { store, server, client } = place;
    const entries = [{ path: "deep/index.html", content: [Buffer.from("hello")] }];
    const { record } = await store.addDirectory(entries, 1);
    assert.ok((await server.pins()).includes(record.root));
    assert.equal((await drain(client.cat(`/ipfs/${record.root}/deep/index.html`))).toString(), "hello");
    const vector = kubo.foreign[0];
    await store.importCar([carFixture(vector?.name ?? "")]);
    assert.ok((await server.pins()).includes(vector?.root ?? ""));
    assert.equal(await store.remove(record.root), true);
    assert.equal(await store.remove(vector?.root ?? ""), true);
    assert.deepEqual(await server.pins(), []);
  });

  test("a removed file is unpinned at once, and its blocks go with the collection of Kubo, not before", async () => {
    await using place = await ground();
    const { store, server, client } = place;
    const bytes = seededBuffer("collected", 300_000);
    const { sha256 } = await store.files.put([bytes]);
    const cid = (await server.pins())[0] ?? "";
    await store.files.delete(sha256);
    assert.deepEqual(await server.pins(), []);
    const offline = { offline: true } as object;
    assert.equal((await client.block.get(CID.parse(cid), offline)).length > 0, true);
    await server.collect();
    await assert.rejects(async () => client.block.get(CID.parse(cid), offline), /not found|could not find/);
  });

  test("pins of others stay, and the blocks that both need", async () => {
    await using place = await ground();
    const { store, server, client } = place;
    const bytes = seededBuffer("shared", 600_000);
    const { sha256 } = await store.files.put([bytes], { layout: "fixedCid" });
    const options = { cidVersion: 1, rawLeaves: true, wrapWithDirectory: true } as const;
    const added = await Array.fromAsync(client.addAll([{ path: "x", content: bytes }], options));
    const other = added.at(-1)?.cid;
    await store.files.delete(sha256);
    await server.collect();
    assert.deepEqual(await drain(client.cat(`/ipfs/${other}/x`)), Buffer.from(bytes));
  });

  test("the settings of the daemon for imports do not change the names", async () => {
    await using place = await ground();
    const { store, server, client } = place;
    await client.config.set("Import.CidVersion", 1);
    await client.config.set("Import.UnixFSChunker", "size-1000");
    await client.config.set("Import.UnixFSFileMaxLinks", 5);
    await client.config.set("Import.UnixFSRawLeaves", false);
    await server.process.kill();
    await server.process.start();
    const vector = kubo.files.find(({ sizeBytes }) => sizeBytes === 524_288) ?? assert.fail();
    const { cid } = await client.add(seededBuffer(vector.seed, vector.sizeBytes), {
      pin: false,
      cidVersion: 1,
    });
    assert.notEqual(cid.toString(), vector.cidV1, "the settings of the daemon are in force");
    for (const layout of ["cidV0", "fixedCid"] as const) {
      await store.files.put(seededBytes(vector.seed, vector.sizeBytes), { layout });
    }
    assert.deepEqual(await server.pins(), [vector.cidV0, vector.cidV1].sort());
  });

  test("a daemon that does not sync its blocks is warned of, one that does is not", async () => {
    const { settings, client } = await kuboServer();
    const spec = (await client.config.get("Datastore.Spec")) as { mounts: { sync?: boolean }[] };
    for (const isSynced of [false, true]) {
      for (const mount of spec.mounts) if ("sync" in mount) mount.sync = isSynced;
      await client.config.set("Datastore.Spec", spec);
      await using folder = await temporaryFolder();
      const log = createMemoryLogger();
      const engine = createBlobEngine(settings, { ...remoteParts(), log });
      await using store = await openStore(folder.path, { engine });
      await store.files.put([Buffer.from("the settings have been looked at by then")]);
      const isWarned = () => log.records.some(({ message }) => message.includes("does not sync its blocks"));
      if (isSynced) assert.equal(isWarned(), false);
      else await eventually(isWarned);
    }
  });

  test("a lost block of a pinned file is found out at once, without a search in the network", async () => {
    await using place = await ground();
    const { store, server } = place;
    const bytes = seededBuffer("lost block", 600_000);
    const { sha256 } = await store.files.put([bytes]);
    const cid = (await server.pins())[0] ?? "";
    await server.loseBlock(cid);
    await server.process.kill();
    await server.process.start();
    await rejectsWith("BLOB_CORRUPT", () => drain(store.files.get(sha256)));
  });
});
