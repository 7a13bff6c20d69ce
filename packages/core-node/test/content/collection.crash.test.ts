import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import { encodeItemHash } from "@twentysix/protocol";
import {
  ContentStore,
  FileLedger,
  type FileNote,
  localFileRecords,
  SqliteConnection,
} from "@twentysix/storage";
import { MessageStore } from "@twentysix/storage/writer";
import { FileEraser } from "../../src/content/file-eraser.ts";
import { FileHolds } from "../../src/content/file-holds.ts";
import { FileReconciler } from "../../src/content/file-reconciler.ts";

const NOW = 1_800_000_000_000_000n;
const HOUR = 3_600_000_000n;
const SOON = NOW + HOUR;

class Crash extends Error {}

/** Dies at the step with this number; every later step of the dead process fails too. */
class Steps {
  readonly #dieAt: number;
  count = 0;

  constructor(dieAt: number) {
    this.#dieAt = dieAt;
  }

  step(): void {
    this.count += 1;
    if (this.count >= this.#dieAt) throw new Crash();
  }

  get isDead(): boolean {
    return this.count >= this.#dieAt;
  }
}

/** The parts of a node that give up and remove files, over a real database and real files. */
async function openNode(folder: string, steps: Steps) {
  const path = join(folder, "messages.sqlite");
  const timers = createSystemTimers();
  const store = new MessageStore({ path, synchronous: "off", readElementFields: () => [] });
  const connection = new SqliteConnection(path, { readOnly: true });
  const contents = await ContentStore.open({ folder: join(folder, "contents"), timers });
  const ledger = new FileLedger(connection);
  const commit = (work: () => void): void => {
    steps.step();
    store.begin();
    try {
      work();
      steps.step();
      store.finish();
    } catch (error) {
      store.rollBack();
      throw error;
    }
    store.commit();
    steps.step();
  };
  const note = async (one: FileNote): Promise<void> => commit(() => store.noteFiles(one, NOW));
  return {
    store,
    contents,
    ledger,
    connection,
    timers,
    note,
    commit,
    register: (
      file: { hash: string; sizeBytes: number; type: "file" | "dir" },
      names: Names,
      until: bigint,
    ) => commit(() => store.registerFile({ ...file, ...names }, NOW, until)),
    async close(): Promise<void> {
      await contents[Symbol.asyncDispose]();
      connection.close();
      store.close();
    },
  };
}

interface Names {
  readonly sha256: Uint8Array | null;
  readonly cid: Uint8Array | null;
}

type Node = Awaited<ReturnType<typeof openNode>>;

/** Removes what the journal says, a step before and after each removal, and ends when nothing is left to do. */
async function erase(node: Node, steps: Steps): Promise<void> {
  const { contents, ledger, note, timers } = node;
  const records = localFileRecords(ledger);
  const stepped = new Proxy(contents, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        steps.step();
        const result: unknown = await Reflect.apply(value, target, args);
        steps.step();
        return result;
      };
    },
  });
  let isAsleep = false;
  const log = createMemoryLogger();
  const eraser = new FileEraser({
    contents: stepped,
    ledger: records,
    holds: new FileHolds(),
    note,
    clock: { nowMicros: () => NOW + 2n * HOUR, monotonicMs: () => 0 },
    timers: {
      ...timers,
      schedule: () => {
        isAsleep = true;
        return () => undefined;
      },
    },
    log,
  });
  // It sleeps with a timer while the journal has entries, without one when it is empty.
  while (ledger.nextDeletionMicros() !== null && !isAsleep && !steps.isDead) await new Promise(setImmediate);
  await eraser.close();
  if (!steps.isDead) assert.deepEqual(log.records, []);
}

/** Uploads under every kind of name, some to stay and some to go; what stays shares bytes with what goes. */
async function fill(node: Node): Promise<{ kept: string[]; gone: string[] }> {
  const { contents, register } = node;
  const kept: string[] = [];
  const gone: string[] = [];
  const keep = (name: string, isKept: boolean): bigint => {
    (isKept ? kept : gone).push(name);
    return isKept ? NOW + 100n * HOUR : SOON;
  };
  const bytes = (text: string): Uint8Array[] => [Buffer.from(text.repeat(50_000))];
  const asFile = async (text: string, isKept: boolean): Promise<void> => {
    const put = await contents.putFile(bytes(text), { names: ["fixedCid"] });
    const names = { sha256: encodeItemHash(put.sha256), cid: encodeItemHash(put.fixedCid ?? "") };
    register({ hash: put.sha256, sizeBytes: put.sizeBytes, type: "file" }, names, keep(put.sha256, isKept));
  };
  const asDag = async (text: string, isKept: boolean): Promise<void> => {
    const added = await contents.addFile(bytes(text), ["cidV0", "fixedCid"]);
    const [root, cid] = [added.dags.get("cidV0")?.root ?? "", added.dags.get("fixedCid")?.root ?? ""];
    const names = { sha256: encodeItemHash(added.sha256), cid: encodeItemHash(cid) };
    register({ hash: root, sizeBytes: added.sizeBytes, type: "file" }, names, keep(root, isKept));
  };
  await asFile("kept", true);
  await asFile("gone", false);
  await asDag("kept dag", true);
  await asDag("gone dag", false);
  await asFile("as a file it stays", true);
  await asDag("as a file it stays", false);
  await asDag("as a dag it stays", true);
  await asFile("as a dag it stays", false);
  const { record } = await contents.addDirectory([{ path: "a/b", content: bytes("in a directory") }], 1);
  const none = { sha256: null, cid: null };
  register(
    { hash: record.root, sizeBytes: record.cumulativeSizeBytes, type: "dir" },
    none,
    keep(record.root, false),
  );
  return { kept, gone };
}

/** What must hold at any moment: what is registered is there whole, what is there is registered or to be removed. */
async function assertConsistent(node: Node): Promise<void> {
  const { contents, ledger, timers } = node;
  for (const { name } of ledger.registered(0, 1_000)) {
    const stat = await contents.stat(name);
    assert.ok(stat, `${name} is registered and not there`);
    if (stat.type === "file") for await (const _piece of contents.read(name));
    else for await (const _piece of contents.archive(name));
  }
  const quiet: FileNote[] = [];
  const reconciler = new FileReconciler({
    contents,
    ledger: localFileRecords(ledger),
    note: async (note) => void quiet.push(note),
    clock: { nowMicros: () => NOW, monotonicMs: () => 0 },
    timers: { ...timers, sleep: async () => undefined },
    log: createMemoryLogger(),
    strayAgeMs: 1_000,
    gracePeriodMs: 1_000,
  });
  const report = await reconciler.run(new AbortController().signal);
  assert.deepEqual([report.missing, quiet.filter(({ kind }) => kind !== "strays")], [0, []]);
}

async function collect(node: Node, steps: Steps): Promise<void> {
  while (node.store.collectFiles(SOON, 2) > 0) steps.step();
  await erase(node, steps);
}

interface Filled {
  readonly folder: string;
  readonly kept: readonly string[];
  readonly gone: readonly string[];
}

async function crashAt({ folder: filled, kept, gone }: Filled, dieAt: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-collect-"));
  try {
    await cp(filled, folder, { recursive: true });

    const steps = new Steps(dieAt);
    const dying = await openNode(folder, steps);
    try {
      await collect(dying, steps);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
    await dying.close();

    const never = new Steps(Number.POSITIVE_INFINITY);
    const again = await openNode(folder, never);
    await assertConsistent(again);
    await collect(again, never);
    await assertConsistent(again);
    for (const name of kept) assert.ok(again.ledger.isRegistered(name), `${name} was lost`);
    for (const name of gone) {
      assert.equal(again.ledger.isRegistered(name), false, `${name} is still registered`);
      assert.equal(again.ledger.isDeletionPending(name), false, `the journal is not done with ${name}`);
    }
    // Three plain files and four names under which they are known; nothing else is left on the disk.
    const files = await Array.fromAsync(again.contents.files.list());
    const roots = await Array.fromAsync(again.contents.index.list());
    assert.deepEqual([files.length, roots.length], [4, 4], "bytes are left that nobody knows of");
    await again.close();
    return steps.count;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a crash at any step of a collection leaves records and bytes consistent, and it is finished later", async () => {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-filled-"));
  try {
    const before = await openNode(folder, new Steps(Number.POSITIVE_INFINITY));
    const filled = { folder, ...(await fill(before)) };
    await before.close();
    const whole = await crashAt(filled, Number.POSITIVE_INFINITY);
    assert.ok(whole > 20, `only ${whole} steps were seen`);
    for (let at = 1; at <= whole; at += 1) await crashAt(filled, at);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a name that somebody is busy with waits, and one that is uploaded again meanwhile keeps its bytes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-hold-"));
  const node = await openNode(folder, new Steps(Number.POSITIVE_INFINITY));
  try {
    const { gone } = await fill(node);
    const [name = ""] = gone;
    const holds = new FileHolds();
    const upload = await holds.hold(name);
    while (node.store.collectFiles(SOON, 10) > 0);
    assert.ok(node.ledger.isDeletionPending(name));
    const noted = Promise.withResolvers<void>();
    const eraser = new FileEraser({
      contents: node.contents,
      ledger: localFileRecords(node.ledger),
      holds,
      note: async (note) => {
        await node.note(note);
        noted.resolve();
      },
      clock: { nowMicros: () => NOW + 2n * HOUR, monotonicMs: () => 0 },
      timers: node.timers,
      log: createMemoryLogger(),
    });
    await noted.promise;
    assert.ok(await node.contents.stat(name), "the bytes went under an upload");
    node.register(
      { hash: name, sizeBytes: 1, type: "file" },
      { sha256: encodeItemHash(name), cid: null },
      NOW * 2n,
    );
    upload[Symbol.dispose]();
    await eraser.close();
    assert.ok(await node.contents.stat(name));
    assert.deepEqual([node.ledger.isDeletionPending(name), node.ledger.isRegistered(name)], [false, true]);
  } finally {
    await node.close();
    await rm(folder, { recursive: true });
  }
});

test("strays leave after their age, unless they were registered; records that lost their bytes are marked", async () => {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-stray-"));
  const node = await openNode(folder, new Steps(Number.POSITIVE_INFINITY));
  try {
    const { kept } = await fill(node);
    const stray = await node.contents.putFile([Buffer.from("nobody knows me")]);
    const dag = await node.contents.addFile([Buffer.from("nor me ".repeat(100_000))], ["cidV0"]);
    const adopted = await node.contents.putFile([Buffer.from("somebody will")]);
    const [lost = ""] = kept;
    await node.contents.remove(lost);
    const reconciler = (ageMs: number): FileReconciler =>
      new FileReconciler({
        ...node,
        ledger: localFileRecords(node.ledger),
        clock: { nowMicros: () => NOW, monotonicMs: () => 0 },
        timers: { ...node.timers, sleep: async () => undefined },
        log: createMemoryLogger(),
        strayAgeMs: ageMs,
        gracePeriodMs: 1_000,
      });
    const report = await reconciler(3_600_000).run(new AbortController().signal);
    assert.deepEqual(report, { strays: 3, missing: 1 });
    assert.equal(node.ledger.figures().damagedFiles, 1);
    assert.equal(node.ledger.nextDeletionMicros(), SOON, "a stray goes before its age");
    node.register(
      { hash: adopted.sha256, sizeBytes: adopted.sizeBytes, type: "file" },
      { sha256: encodeItemHash(adopted.sha256), cid: null },
      NOW * 2n,
    );
    await node.contents.putFile([Buffer.from("kept".repeat(50_000))]);
    await reconciler(3_600_000).run(new AbortController().signal);
    assert.equal(node.ledger.figures().damagedFiles, 0, "what came back is still marked");
    await erase(node, new Steps(Number.POSITIVE_INFINITY));
    assert.equal(await node.contents.stat(stray.sha256), undefined);
    assert.equal(await node.contents.stat(dag.dags.get("cidV0")?.root ?? ""), undefined);
    assert.equal(await node.contents.files.has(dag.sha256), false);
    assert.ok(await node.contents.stat(adopted.sha256));
    await assertConsistent(node);
  } finally {
    await node.close();
    await rm(folder, { recursive: true });
  }
});
