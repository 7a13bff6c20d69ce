import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ChunkRequest, createPointReads, EVENT_CODE, UNLIMITED } from "../../src/index.ts";
import { createListReads } from "../../src/reader.ts";
import { SeedDatabase, sha256 } from "./seed.ts";
import { seedFile, seedFileTag, seedPin } from "./seed-derived.ts";

const BASE = 1_700_000_000_000_000n;

describe("files, events, totals and live messages", () => {
  it("finds files by hash, by message and by reference", () => {
    const seed = new SeedDatabase();
    const store = seed.message({ type: "STORE" });
    const named = seed.message({ type: "STORE" });
    const hash = sha256("file");
    const fileId = seedFile(seed, { fileHash: hash, sizeBytes: 11 });
    seedPin(seed, { fileId, kind: "message", message: store, owner: "0xA", createdMicros: BASE });
    seedPin(seed, {
      fileId,
      kind: "message",
      message: named,
      owner: "0xA",
      ref: "my/file",
      createdMicros: BASE,
    });
    seedPin(seed, { fileId, kind: "grace_period", createdMicros: BASE });
    seedFileTag(seed, store.itemHash, "0xA", fileId, store);
    seedFileTag(seed, "0xA/my/file", "0xA", fileId, named);
    const reads = createPointReads(seed.connection);
    assert.deepEqual(reads.file(hash), {
      fileHash: hash,
      type: "file",
      sizeBytes: 11,
      sha256: hash,
      cid: null,
    });
    assert.deepEqual(
      [reads.file(sha256("no")), reads.file("x".repeat(1_000_000)), reads.file("")],
      [null, null, null],
    );
    assert.deepEqual([reads.pinCount(hash), reads.pinCount(sha256("no")), reads.pinCount("x")], [3, 0, 0]);
    const view = { owner: "0xA", fileHash: hash, sizeBytes: 11 };
    assert.deepEqual(reads.fileOfMessage(store.itemHash), { ...view, ref: store.itemHash });
    assert.deepEqual(reads.fileOfMessage(named.itemHash), { ...view, ref: "my/file" });
    assert.equal(reads.fileOfMessage(sha256("no")), null);
    const asked = [store.itemHash, sha256("no"), "no hash"].map((one) => ({ hash: one, useLatest: true }));
    assert.deepEqual(reads.referencedBytes(asked), [11, null, null]);
    assert.deepEqual(reads.fileByRef("my/file", "0xA"), { ...view, ref: "my/file" });
    assert.equal(reads.fileByRef("my/file", null), null);
    assert.equal(reads.fileByRef("my/file", "0xB"), null);
    assert.deepEqual(reads.fileByRef(store.itemHash, null), { ...view, ref: store.itemHash });
    assert.deepEqual(reads.fileByRef(store.itemHash, "0xOther"), { ...view, ref: store.itemHash });
  });

  it("gives the events of an item with causes, and live messages after a number", () => {
    const seed = new SeedDatabase();
    const reads = createPointReads(seed.connection);
    assert.equal(reads.lastSeq(), 0);
    const first = seed.message({ members: '"type":"n","content":{"tags":["x"]}' });
    const gone = seed.message();
    const second = seed.message({ type: "FORGET" });
    seed.event(first.id, EVENT_CODE.received, BASE, "http");
    for (const { id } of [first, gone, second]) seed.event(id, EVENT_CODE.processed, BASE + 1n);
    seed.event(first.id, EVENT_CODE.confirmed, BASE + 2n);
    seed.connection.run("DELETE FROM messages WHERE id = ?", gone.id);
    assert.deepEqual(reads.eventsOf(first.itemHash), [
      { seq: 1, kind: "received", atMicros: BASE, cause: "http" },
      { seq: 2, kind: "processed", atMicros: BASE + 1n, cause: null },
      { seq: 5, kind: "confirmed", atMicros: BASE + 2n, cause: null },
    ]);
    const roomy = { messages: 10, bytes: 1_000_000 };
    const { messages: live, seq, hasMore } = reads.liveMessages(0, roomy);
    assert.deepEqual([seq, hasMore], [4, false]);
    assert.deepEqual(
      live.map(({ seq, facts }) => [seq, facts.itemHash]),
      [
        [2, first.itemHash],
        [4, second.itemHash],
      ],
    );
    assert.equal(live[0]?.full(), reads.messageJson(first.itemHash));
    assert.equal(live[0]?.withoutContent(), reads.messageJson(first.itemHash, { contentFormat: "none" }));
    assert.deepEqual([live[0]?.origin, live[0]?.facts.tags], ["http", ["x"]]);
    assert.deepEqual(
      reads.liveMessages(2, roomy).messages.map(({ seq }) => seq),
      [4],
    );
    const tight = (messages: number, bytes: number) => {
      const chunk = reads.liveMessages(0, { messages, bytes });
      return [chunk.messages.length, chunk.seq, chunk.hasMore];
    };
    assert.deepEqual(tight(1, 1_000_000), [1, 2, true]);
    assert.deepEqual(tight(10, 1), [1, 2, true]);
    // A message that is gone takes a place, so that the next part starts behind it.
    assert.deepEqual(tight(2, 1_000_000), [1, 3, true]);
    assert.equal(reads.lastSeq(), 5);
  });

  it("tells types, channels and statistics of senders, and the gauges of the node", () => {
    const seed = new SeedDatabase();
    for (const [type, channel] of [
      ["b", "c2"],
      ["a", "c1"],
      ["a", null],
    ] as const) {
      seed.message({ members: `"type":"${type}","content":1`, channel });
    }
    seed.message({ sender: "0xB", type: "STORE", channel: "c3", status: "removing" });
    seed.message({ sender: "0xB", type: "V-PROGRAM" });
    const reads = createPointReads(seed.connection);
    assert.deepEqual(reads.postTypesOf("0xA"), ["a", "b"]);
    assert.deepEqual(reads.channelsOf("0xA"), ["c1", "c2"]);
    assert.deepEqual([reads.postTypesOf("0xNobody"), reads.channelsOf("0xNobody")], [[], []]);
    const stats = reads.statsOf(["0xB", "0xNobody", "0xA", "0xA"]);
    assert.deepEqual(
      stats.map(({ address, messages, byType }) => [address, messages, byType.POST, byType.STORE]),
      [
        ["0xB", 1, 0, 0],
        ["0xA", 3, 3, 0],
      ],
    );
    const totals = reads.totals();
    assert.deepEqual([totals.liveMessages, totals.filePins, totals.pendingMessages], [5, 0, 0]);
    const lists = createListReads(seed.connection);
    const channels = (request: ChunkRequest) => lists.channels(request, UNLIMITED);
    const all = channels({ cursor: null, pageSize: 10 });
    assert.deepEqual(all, { items: ['"TEST"', '"c1"', '"c2"', '"c3"'], nextCursor: null });
    const two = channels({ cursor: null, pageSize: 2 });
    const third = channels({ cursor: two.nextCursor, pageSize: 9, maxBytes: 1 });
    const last = channels({ cursor: third.nextCursor, pageSize: 9, maxBytes: 1 });
    assert.deepEqual([...two.items, ...third.items, ...last.items], all.items);
    assert.equal(last.nextCursor, null);
  });

  it("lists current programs with subscriptions, and node scores in a window", () => {
    const seed = new SeedDatabase();
    const [old, updated, other] = [
      seed.message({ type: "PROGRAM" }),
      seed.message({ type: "PROGRAM" }),
      seed.message({ type: "PROGRAM" }),
    ];
    const vm = (id: number, originalId: number, createdMicros: bigint, triggers: string | null) =>
      seed.connection.run(
        "INSERT INTO vms VALUES (?, 4, 1, ?, 1, ?, ?)",
        id,
        originalId,
        createdMicros,
        triggers,
      );
    vm(old.id, old.id, BASE, '[{"sender":"0xOld"}]');
    vm(updated.id, old.id, BASE + 9n, '[{"sender":"0xNew","n":1152921504606846977}]');
    vm(other.id, other.id, BASE + 5n, null);
    const lists = createListReads(seed.connection);
    const first = { cursor: null, pageSize: 10 };
    assert.deepEqual(lists.programsOnMessage("desc", first, UNLIMITED), {
      items: [
        `{"item_hash":"${updated.itemHash}","content":{"on":{"message":[{"sender":"0xNew","n":1152921504606846977}]}}}`,
      ],
      nextCursor: null,
    });
    for (const [at, kind] of [
      [1n, 0],
      [2n, 0],
      [3n, 0],
      [2n, 1],
    ] as const) {
      seed.connection.run(
        "INSERT INTO node_metrics VALUES (?, 'node', ?, ?, ?)",
        kind,
        BASE + at,
        other.id,
        `{"at":${at}}`,
      );
    }
    const window = {
      kind: "core",
      nodeId: "node",
      startMicros: BASE + 2n,
      endMicros: BASE + 3n,
      direction: "desc",
    } as const;
    assert.deepEqual(
      lists.nodeMetrics(window).rows.map(({ metricsJson }) => metricsJson),
      ['{"at":3}', '{"at":2}'],
    );
    assert.deepEqual(lists.nodeMetrics({ ...window, nodeId: "none" }), { rows: [], nextMicros: null });
  });
});
