import assert from "node:assert/strict";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ContentStore } from "../../../src/blobs/content-store.ts";
import { isServerFailure } from "../../../src/blobs/errors.ts";
import { drain, seededBuffer, seededBytes, sha256 } from "../bytes.ts";
import { eventually } from "../eventually.ts";
import { rejectsWith } from "../expect-code.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type EngineServer, type EngineTraits, openStore, type TestedEngine } from "./tested-engine.ts";

const MIB = 1024 * 1024;

interface Ground extends AsyncDisposable {
  readonly tested: TestedEngine;
  readonly server: EngineServer;
  readonly store: ContentStore;
  readonly folder: string;
  close(): Promise<void>;
}

async function prepare(traits: EngineTraits): Promise<Ground> {
  const folder = await temporaryFolder();
  const tested = await traits.fresh(folder.path);
  const store = await openStore(folder.path, tested);
  assert.ok(tested.server);
  const { server } = tested;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await store[Symbol.asyncDispose]();
    isOpen = false;
  };
  return {
    close,
    tested,
    server,
    store,
    folder: folder.path,
    async [Symbol.asyncDispose]() {
      // The next test finds it alive, whatever this one did.
      server.resume();
      await server.kill();
      await server.start();
      await close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const isUsable = (store: ContentStore): boolean => store.server?.state.isUsable === true;

/** What happens when the server that keeps the blobs dies, hangs, comes back or lies. */
export function describeServer(traits: EngineTraits): void {
  describe(`a server that fails: ${traits.name}`, { skip: traits.skip, timeout: 240_000 }, () => {
    test("what was acknowledged outlives the server's death right after", async () => {
      await using ground = await prepare(traits);
      const { store, server } = ground;
      for (let round = 0; round < 3; round += 1) {
        const bytes = seededBuffer(`round ${round}`, 1_000_000);
        const { sha256: name } = await store.files.put([bytes]);
        await server.kill();
        await server.start();
        await eventually(() => isUsable(store));
        assert.deepEqual(await drain(store.read(name)), Buffer.from(bytes));
        assert.equal((await store.files.stat(name))?.sizeBytes, 1_000_000);
      }
    });

    test("while it is away calls fail by a code, the state says so, and all works when it is back", async () => {
      await using ground = await prepare(traits);
      const { store, server, tested } = ground;
      const bytes = seededBuffer("before", 300_000);
      const { sha256: name } = await store.files.put([bytes]);
      let backs = 0;
      store.server?.onBack(() => {
        backs += 1;
      });
      await server.kill();
      await rejectsWith("BLOB_SERVER_AWAY", () => store.files.put([seededBuffer("away", 1000)]));
      assert.equal(isUsable(store), false);
      assert.match(store.server?.state.message ?? "", /cannot be reached/);
      assert.throws(() => store.server?.assertUsable(), { code: "BLOB_SERVER_AWAY" });
      await rejectsWith("BLOB_SERVER_AWAY", () => drain(store.read(name)));
      await rejectsWith("BLOB_SERVER_AWAY", () => store.files.stat(name));
      await rejectsWith("BLOB_SERVER_AWAY", () => store.files.delete(name));
      await rejectsWith("BLOB_SERVER_AWAY", () =>
        store.importCar([Buffer.alloc(0)]).catch(() => store.packs.put([])),
      );
      await server.start();
      await eventually(() => isUsable(store));
      assert.ok(backs > 0);
      // A deletion that failed is an open end: the bytes are gone or go with the next try, never half.
      await store.files.delete(name);
      assert.equal(await store.files.has(name), false);
      await store.files.put([seededBuffer("after", 1000)]);
      await eventually(async () => (await tested.held()).length === 1);
    });

    test("a server that dies and comes back within the retries costs only time", async () => {
      await using ground = await prepare(traits);
      const { store, server } = ground;
      const bytes = seededBuffer("retried", 2 * MIB);
      const { sha256: name } = await store.files.put([bytes]);
      await server.kill();
      const reading = drain(store.read(name));
      await server.start();
      // The wait for the next attempt is short, so the first call may have been given up before the server was there.
      const read = await reading.catch(async (error: unknown) => {
        assert.ok(isServerFailure(error));
        await eventually(() => isUsable(store));
        return drain(store.read(name));
      });
      assert.deepEqual(read, Buffer.from(bytes));
    });

    test("a download goes on where it was when its connection is cut", async () => {
      await using ground = await prepare(traits);
      const { store, server } = ground;
      const sizeBytes = 24 * MIB;
      const { sha256: name } = await store.files.put(seededBytes("cut", sizeBytes));
      const reader = await store.files.open(name);
      assert.ok(reader);
      const pieces = reader.read();
      const first = await pieces.next();
      assert.ok(first.value);
      await server.kill();
      await server.start();
      const rest = await drain(pieces);
      assert.equal(sha256(Buffer.concat([first.value, rest])), name);
    });

    test("an upload that the server's death breaks off is refused or done, and leaves nothing half", async () => {
      await using ground = await prepare(traits);
      const { store, server, tested, folder } = ground;
      const sizeBytes = 40 * MIB;
      const putting = store.files.put(seededBytes("broken off", sizeBytes));
      const outcome = putting.then(
        () => "done",
        (error: unknown) => error,
      );
      await eventually(async () => (await spooledBytes(folder)) === sizeBytes);
      await server.kill();
      const failure = await outcome;
      assert.ok(failure !== "done" && isServerFailure(failure), String(failure));
      await server.start();
      await eventually(() => isUsable(store));
      await eventually(async () => (await tested.held()).length === 0);
      const whole = await store.files.put(seededBytes("broken off", sizeBytes));
      assert.equal(whole.sizeBytes, sizeBytes);
      assert.equal((await tested.held()).length, 1);
      assert.equal(await spooledBytes(folder), 0);
    });

    test("a server that hangs is given up after a time, and is used again when it answers", async () => {
      await using ground = await prepare(traits);
      const { store, server } = ground;
      const bytes = seededBuffer("hangs", 300_000);
      const { sha256: name } = await store.files.put([bytes]);
      server.pause();
      await eventually(() => !isUsable(store));
      await rejectsWith("BLOB_SERVER_TIMEOUT", () => store.files.stat(name));
      await rejectsWith("BLOB_SERVER_TIMEOUT", () => drain(store.read(name)));
      await rejectsWith("BLOB_SERVER_TIMEOUT", () => store.files.put([bytes]));
      server.resume();
      await eventually(() => isUsable(store));
      assert.deepEqual(await drain(store.read(name)), Buffer.from(bytes));
    });

    test("an abort ends a call to a server that hangs at once, with its reason", async () => {
      await using ground = await prepare(traits);
      const { store, server } = ground;
      const bytes = seededBuffer("aborted", 3 * MIB);
      const { sha256: name } = await store.files.put([bytes]);
      server.pause();
      const abort = new AbortController();
      const { signal } = abort;
      const calls = [
        assert.rejects(store.files.stat(name, signal), /enough/),
        assert.rejects(drain(store.read(name, { signal })), /enough/),
        assert.rejects(store.files.put([seededBuffer("other", MIB)], { signal }), /enough/),
      ];
      await new Promise(setImmediate);
      abort.abort(new Error("enough"));
      await Promise.all(calls);
      server.resume();
      await eventually(() => isUsable(store));
    });

    test("a store opens while its server is away and works once it comes", async () => {
      await using ground = await prepare(traits);
      const { server, tested } = ground;
      await using other = await temporaryFolder();
      await server.kill();
      await using store = await openStore(other.path, tested);
      assert.equal(isUsable(store), false);
      await rejectsWith("BLOB_SERVER_AWAY", () => store.files.put([]));
      await server.start();
      await eventually(() => isUsable(store));
      const bytes = seededBuffer("late", 1000);
      const { sha256: name } = await store.files.put([bytes]);
      assert.deepEqual(await drain(store.read(name)), Buffer.from(bytes));
    });

    test("what a crash of this process left on the server is removed at the next start", async () => {
      await using ground = await prepare(traits);
      const { store, server, tested, folder } = ground;
      const { sha256: kept } = await store.files.put([seededBuffer("kept", 1000)]);
      const { sha256: doomed } = await store.files.put([seededBuffer("doomed", 1000)]);
      await server.kill();
      // Begun and not ended: what a process that dies at this moment leaves.
      await rejectsWith("BLOB_SERVER_AWAY", () => store.files.delete(doomed));
      await ground.close();
      await server.start();
      assert.equal((await tested.held()).length, 2);
      await using again = await openStore(folder, tested);
      await eventually(async () => (await tested.held()).length === 1);
      assert.equal(await again.files.has(kept), true);
      assert.equal(await again.files.has(doomed), false);
    });

    test("damage that a read finds is told with the name of the blob", async () => {
      await using ground = await prepare(traits);
      const { store, tested } = ground;
      const bytes = seededBuffer("told", 400_000);
      const { sha256: name } = await store.files.put([bytes]);
      const told: string[] = [];
      store.server?.onDamage((sha) => told.push(sha));
      await tested.damage(bytes, 10);
      await rejectsWith("BLOB_CORRUPT", () => drain(store.read(name)));
      assert.deepEqual(told, [name]);
      assert.equal(isUsable(store), true, "a damaged blob is no failure of the server");
    });
  });
}

/** Bytes that are on their way to the server. */
async function spooledBytes(folder: string): Promise<number> {
  const spool = join(folder, "spool");
  let bytes = 0;
  for (const name of await readdir(spool)) bytes += (await stat(join(spool, name))).size;
  return bytes;
}
