import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createSystemTimers, createTimers, type Timers } from "@twentysix/platform";
import { type ItemText, type MessagesQuery, ReadError, SqliteConnection } from "@twentysix/storage";
import { migrate } from "@twentysix/storage/writer";
import { stateRulesOf } from "../../src/pipeline/state-rules.ts";
import { createReaderLists } from "../../src/reader/reader-lists.ts";
import { ReaderThread, type ReaderThreadOptions } from "../../src/reader/reader-thread.ts";
import type { Threads } from "../../src/threads/threads.ts";
import { workerThreads } from "../../src/threads/worker-threads.ts";
import { networkDefinition } from "../pipeline/support/state-harness.ts";

const folder = mkdtempSync(join(tmpdir(), "reader-thread-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const databasePath = join(folder, "database");
const ITEMS = 2_600;
const connection = new SqliteConnection(databasePath, { synchronous: "off" });
migrate(connection);
connection.transaction(() => {
  for (let at = 0; at < ITEMS; at += 1) {
    const hash = new Uint8Array(32).fill(at % 251);
    new DataView(hash.buffer).setUint32(0, at);
    connection.run(
      "INSERT INTO items (id, hash, status, reception_us) VALUES (?, ?, 1, ?)",
      at + 1,
      hash,
      BigInt(Math.floor(at / 3)),
    );
  }
  connection.run("INSERT INTO counters VALUES (1, 1, 0, ?)", ITEMS);
});
connection.close();

const ALL: MessagesQuery = { filter: {}, sortBy: "time", direction: "desc" };
const HASHES = { direction: "asc", hashOnly: true } as const;
const hasCode = (code: string) => (error: unknown) => error instanceof ReadError && error.code === code;

function open(options: Partial<ReaderThreadOptions> = {}): ReaderThread {
  const definition = networkDefinition("local");
  const ledger = { rules: stateRulesOf(definition, 1_000), definition };
  return new ReaderThread({ databasePath, timers: createSystemTimers(), ledger, ...options });
}

/** Timers that fire when the test says so. */
function manualTimers(): { readonly timers: Timers; fire(delayMs: number): void } {
  const scheduled = new Set<{ readonly delayMs: number; readonly callback: () => void }>();
  const timers = createTimers((delayMs, callback) => {
    const entry = { delayMs, callback };
    scheduled.add(entry);
    return () => scheduled.delete(entry);
  });
  const fire = (delayMs: number): void => {
    for (const entry of [...scheduled].filter((one) => one.delayMs === delayMs)) {
      scheduled.delete(entry);
      entry.callback();
    }
  };
  return { timers, fire };
}

describe("reader thread", () => {
  it("answers pages, cursors and single reads from its own connection", async () => {
    await using thread = open();
    const lists = createReaderLists(thread);
    const page = await lists.hashes.page(HASHES, { page: 2, pageSize: 10 });
    assert.deepEqual([page.items.length, page.total, page.approximate], [10, ITEMS, false]);
    const first = await lists.hashes.cursor(HASHES, { cursor: "", pageSize: 10 });
    const second = await lists.hashes.cursor(HASHES, { cursor: first.nextCursor, pageSize: 10 });
    assert.deepEqual(second.items, page.items);
    assert.deepEqual((await lists.messages.page(ALL, { page: 1, pageSize: 20 })).items, []);
    const files = await lists.accountFiles.page(
      { address: "0xA", direction: "desc", createdAs: "iso" },
      { page: 1, pageSize: 5 },
    );
    assert.deepEqual([files.items, files.totalSizeBytes], [[], 0]);
    assert.deepEqual(await Array.fromAsync(lists.channels()), []);
    assert.deepEqual(await Array.fromAsync(lists.programsOnMessage("desc")), []);
    const received = { kind: "received", address: "0xA", filter: {} } as const;
    assert.deepEqual(await lists.authorizations(received, { page: 1, pageSize: 9 }), {
      authorizations: [],
      total: 0,
    });
  });

  it("streams a list without limit in chunks, each item once and in order", async () => {
    await using thread = open();
    const chunks: (readonly ItemText[])[] = [];
    for await (const chunk of createReaderLists(thread).hashes.stream(HASHES)) chunks.push(chunk);
    assert.ok(chunks.length > 2 && chunks.every((chunk) => chunk.length <= 1_000));
    assert.equal(new Set(chunks.flat()).size, ITEMS);
  });

  it("stops a stream with its signal, and goes on with other reads", async () => {
    await using thread = open();
    const lists = createReaderLists(thread);
    const controller = new AbortController();
    const reason = new Error("client went away");
    const read = async () => {
      for await (const _ of lists.hashes.stream(HASHES, { signal: controller.signal }))
        controller.abort(reason);
    };
    await assert.rejects(read, (error) => error === reason);
    assert.equal((await lists.hashes.page(HASHES, { page: 1, pageSize: 5 })).items.length, 5);
  });

  it("ends its thread when nobody has called for a while, and starts another with the next call", async () => {
    const { timers, fire } = manualTimers();
    const ends: Promise<unknown>[] = [];
    const threads: Threads = {
      ...workerThreads,
      startReader(data, maxHeapMib) {
        const thread = workerThreads.startReader(data, maxHeapMib);
        const { promise, resolve } = Promise.withResolvers<void>();
        ends.push(promise);
        const end = thread.terminate.bind(thread);
        const terminate = async (): Promise<number> => {
          const code = await end();
          resolve();
          return code;
        };
        return Object.assign(thread, { terminate });
      },
    };
    await using thread = open({ timers, threads, quietMs: 77 });
    const lists = createReaderLists(thread);
    const page = async () => (await lists.hashes.page(HASHES, { page: 1, pageSize: 5 })).items.length;
    const reading = page();
    fire(77);
    assert.equal(await reading, 5, "a thread that reads is not quiet");
    fire(77);
    await ends[0];
    assert.deepEqual(await Promise.all([page(), page()]), [5, 5]);
    assert.equal(ends.length, 2);
    assert.equal(thread.stats.threadsLost, 0);
  });

  it("passes on what the read refuses, with its code", async () => {
    await using thread = open();
    const lists = createReaderLists(thread);
    await assert.rejects(
      lists.hashes.cursor(HASHES, { cursor: "bad", pageSize: 5 }),
      hasCode("CURSOR_INVALID"),
    );
  });

  it("passes on a defect as it is, and survives it", async () => {
    await using thread = open();
    const lists = createReaderLists(thread);
    const broken = { ...ALL, filter: { types: 5 } } as unknown as MessagesQuery;
    await assert.rejects(
      lists.messages.page(broken, { page: 1, pageSize: 5 }),
      (error) => error instanceof Error && !(error instanceof ReadError),
    );
    assert.equal((await lists.hashes.page(HASHES, { page: 1, pageSize: 5 })).items.length, 5);
    assert.equal(thread.stats.threadsLost, 0);
  });

  it("refuses more calls than may wait", async () => {
    await using thread = open({ maxWaiting: 2 });
    const lists = createReaderLists(thread);
    const page = () => lists.hashes.page(HASHES, { page: 1, pageSize: 1 });
    const accepted = [page(), page(), page()];
    await assert.rejects(page(), hasCode("READ_QUEUE_FULL"));
    assert.equal((await Promise.all(accepted)).length, 3);
    assert.deepEqual([thread.stats.refused, thread.stats.waiting], [1, 0]);
  });

  it("gives up after the time limit, waiting included, and answers later calls", async () => {
    const { timers, fire } = manualTimers();
    await using thread = open({ timers, timeoutMs: 5_000 });
    const lists = createReaderLists(thread);
    const late = [1, 2, 3].map(() => lists.hashes.page(HASHES, { page: 1, pageSize: 1 }));
    const outcomes = Promise.allSettled(late);
    fire(5_000);
    for (const outcome of await outcomes) {
      assert.ok(outcome.status === "rejected" && hasCode("READ_TIMEOUT")(outcome.reason));
    }
    assert.equal(thread.stats.timeouts, 3);
    assert.equal((await lists.hashes.page(HASHES, { page: 1, pageSize: 1 })).items.length, 1);
  });

  it("rejects an aborted call at once, waiting or not yet made", async () => {
    await using thread = open();
    const lists = createReaderLists(thread);
    const running = lists.hashes.page(HASHES, { page: 1, pageSize: 1 });
    const controller = new AbortController();
    const waiting = lists.hashes.page(HASHES, { page: 1, pageSize: 1 }, { signal: controller.signal });
    const reason = new Error("gone");
    controller.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    const signal = AbortSignal.abort(reason);
    await assert.rejects(lists.accountFilesSize("0xA", { signal }), (error) => error === reason);
    assert.equal((await running).items.length, 1);
  });

  it("replaces a thread that does not come back from a read that was given up", async () => {
    const { timers, fire } = manualTimers();
    const lost: unknown[] = [];
    await using thread = open({
      timers,
      timeoutMs: 5_000,
      stuckMs: 7_000,
      onThreadLost: (reason) => lost.push(reason),
    });
    const lists = createReaderLists(thread);
    const stuck = assert.rejects(
      lists.hashes.page(HASHES, { page: 1, pageSize: 1 }),
      hasCode("READ_TIMEOUT"),
    );
    fire(5_000);
    const next = lists.hashes.page(HASHES, { page: 1, pageSize: 1 });
    fire(7_000);
    await stuck;
    assert.equal((await next).items.length, 1);
    assert.deepEqual([lost.length, thread.stats.threadsLost], [1, 1]);
  });

  it("fails the call, not the process, when the thread cannot open the database", async () => {
    const lost: unknown[] = [];
    await using thread = open({
      databasePath: join(folder, "missing", "database"),
      onThreadLost: (reason) => lost.push(reason),
    });
    await assert.rejects(createReaderLists(thread).accountFilesSize("0xA"), hasCode("READER_FAILED"));
    assert.equal(lost.length, 1);
  });

  it("starts no thread for a while after two in a row were lost, and answers what waited for it", async () => {
    const { timers, fire } = manualTimers();
    const missing = join(folder, "later");
    await using thread = open({ databasePath: missing, timers });
    const lists = createReaderLists(thread);
    const read = () => lists.hashes.page(HASHES, { page: 1, pageSize: 1 });
    await assert.rejects(read(), hasCode("READER_FAILED"));
    await assert.rejects(read(), hasCode("READER_FAILED"));
    const waiting = read();
    assert.deepEqual([thread.stats.threadsLost, thread.stats.waiting, thread.stats.isBusy], [2, 1, false]);
    await symlink(databasePath, missing);
    fire(200);
    assert.equal((await waiting).items.length, 1);
    // A thread that lasts is forgiven those before it.
    fire(60_000);
    await rm(missing);
    assert.equal((await read()).items.length, 1);
    assert.equal(thread.stats.threadsLost, 2);
  });

  it("fails what waits when it is closed, and everything after", async () => {
    const thread = open();
    const lists = createReaderLists(thread);
    const outcomes = Promise.allSettled([lists.accountFilesSize("0xA"), lists.accountFilesSize("0xB")]);
    await thread.close();
    for (const outcome of await outcomes) {
      assert.ok(outcome.status === "rejected" && hasCode("READER_CLOSED")(outcome.reason));
    }
    await assert.rejects(lists.accountFilesSize("0xA"), hasCode("READER_CLOSED"));
  });
});
