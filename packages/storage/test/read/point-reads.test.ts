import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeItemHash } from "@twentysix/protocol";
import {
  createSqliteListReads,
  createSqlitePointReads,
  EVENT_CODE,
  renderMessageView,
  UNLIMITED,
} from "../../src/index.ts";
import { SeedDatabase, sha256 } from "./seed.ts";
import { seedAggregate, seedFile, seedFileTag, seedForgotten, seedPin } from "./seed-derived.ts";

const BASE = 1_700_000_000_000_000n;

function viewOf(seed: SeedDatabase, itemHash: string): Record<string, unknown> | null {
  const view = createSqlitePointReads(seed.connection).messageView(itemHash);
  const body = view === null ? null : renderMessageView(view);
  return body === null ? null : (JSON.parse(body) as Record<string, unknown>);
}

function candidate(
  seed: SeedDatabase,
  itemId: number,
  envelope: string,
  rest: Record<string, unknown> = {},
): void {
  seed.connection.run(
    `INSERT INTO candidates (item_id, identity, envelope, content, sender_id, origin, reception_us, attempts, next_attempt_us, code, details)
     VALUES (?, ?, ?, ?, 1, 0, ?, 0, ?, ?, ?)`,
    itemId,
    encodeItemHash(sha256(envelope)),
    envelope,
    (rest.content as string | undefined) ?? null,
    BASE,
    rest.next === undefined ? null : BASE,
    (rest.code as number | undefined) ?? null,
    (rest.details as string | undefined) ?? null,
  );
}

describe("message view", () => {
  it("tells a processed and a removing message with their reason", () => {
    const seed = new SeedDatabase();
    const stored = seed.message({
      members: '"type":"n","content":{"id":1152921504606846977}',
      timeMicros: BASE,
    });
    const removing = seed.message({
      type: "STORE",
      status: "removing",
      members: `"item_type":"storage","item_hash":"${"ab".repeat(32)}","payment":{"type":"credit"}`,
    });
    const unpaid = seed.message({ status: "removing" });
    const view = viewOf(seed, stored.itemHash);
    assert.deepEqual(
      [view?.status, view?.item_hash, view?.reception_time],
      ["processed", stored.itemHash, "2023-11-14T22:13:20.000005Z"],
    );
    assert.equal(viewOf(seed, removing.itemHash)?.reason, "credit_insufficient");
    assert.equal(viewOf(seed, unpaid.itemHash)?.reason, "balance_insufficient");
    const reads = createSqlitePointReads(seed.connection);
    const list = createSqliteListReads(seed.connection).lists.messages;
    const query = { filter: { itemHashes: [stored.itemHash] }, sortBy: "time", direction: "desc" } as const;
    assert.deepEqual(list.page(query, { page: 1, pageSize: 1 }, UNLIMITED).items, [
      reads.messageJson(stored.itemHash),
    ]);
    assert.ok(reads.messageJson(stored.itemHash)?.includes('"id":1152921504606846977'));
  });

  it("lists the queued copies of a pending message by their time", () => {
    const seed = new SeedDatabase();
    const itemHash = sha256("pending");
    const id = seed.item(itemHash, "pending", BASE);
    const envelope = (time: string, channel: string) =>
      `{"sender":"0xA","chain":"ETH","signature":"0x1","type":"STORE","item_hash":"${itemHash}","time":${time},"channel":${channel}}`;
    candidate(seed, id, envelope("1652786281.9810653", "null"), {
      next: true,
      content: '{"big":1152921504606846977}',
    });
    candidate(seed, id, envelope("1652786281", '"TEST"'), { next: true });
    candidate(seed, id, envelope("1", '"GIVEN UP"'), { code: 4 });
    const view = viewOf(seed, itemHash);
    assert.deepEqual(Object.keys(view ?? {}), ["status", "item_hash", "reception_time", "messages"]);
    const messages = view?.messages as Record<string, unknown>[];
    assert.deepEqual(messages[0], {
      sender: "0xA",
      chain: "ETH",
      signature: "0x1",
      type: "STORE",
      item_content: null,
      item_type: "storage",
      item_hash: itemHash,
      time: "2022-05-17T11:18:01.000000Z",
      channel: "TEST",
      content: null,
      reception_time: "2023-11-14T22:13:20.000000Z",
    });
    assert.deepEqual([messages.length, messages[1]?.time], [2, "2022-05-17T11:18:01.981065Z"]);
    const text =
      renderMessageView(createSqlitePointReads(seed.connection).messageView(itemHash) ?? assert.fail()) ?? "";
    assert.ok(text.includes('"content":{"big":1152921504606846977}'));
  });

  it("shows the content of an inline copy, and copies that only wait to be woken", () => {
    const seed = new SeedDatabase();
    const itemHash = sha256("woken");
    const id = seed.item(itemHash, "pending");
    const content = '{"address":"0xA","time":1,"x":[1,2]}';
    const envelope = JSON.stringify({
      sender: "0xA",
      type: "POST",
      item_hash: itemHash,
      item_content: content,
      time: 5,
    });
    candidate(seed, id, envelope, { code: 2 });
    const messages = viewOf(seed, itemHash)?.messages as Record<string, unknown>[];
    assert.deepEqual(
      [messages[0]?.item_type, messages[0]?.content, messages[0]?.signature],
      ["inline", JSON.parse(content), null],
    );
  });

  it("explains a rejection by the signed copy before the forged ones, first message and newest code", () => {
    const seed = new SeedDatabase();
    const itemHash = sha256("rejected");
    const id = seed.item(itemHash, "rejected");
    const refuse = (raw: string, code: number, atMicros: bigint) =>
      seed.connection.run(
        "INSERT INTO refusals (item_id, identity, raw, code, details, at_us) VALUES (?, ?, ?, ?, ?, ?)",
        id,
        encodeItemHash(sha256(raw)),
        raw,
        code,
        '{"errors":["bad"]}',
        atMicros,
      );
    assert.deepEqual([viewOf(seed, itemHash)?.message, viewOf(seed, itemHash)?.error_code], [null, -1]);
    refuse('{"raw":1}', 1, BASE);
    refuse('{"raw":2}', 0, BASE + 1n);
    assert.deepEqual(viewOf(seed, itemHash), {
      status: "rejected",
      item_hash: itemHash,
      reception_time: "2023-11-14T22:13:20.000000Z",
      message: { raw: 1 },
      error_code: 0,
      details: { errors: ["bad"] },
    });
    candidate(seed, id, '{"signed":true}', { code: 5, details: '{"errors":[{"required_balance":"10"}]}' });
    const view = viewOf(seed, itemHash);
    assert.deepEqual([view?.message, view?.error_code], [{ signed: true }, 5]);
  });

  it("does not pass on a refused copy that was cut", () => {
    const seed = new SeedDatabase();
    const itemHash = sha256("cut");
    seed.connection.run(
      "INSERT INTO refusals (item_id, identity, raw, code, details, at_us) VALUES (?, ?, ?, 0, NULL, 1)",
      seed.item(itemHash, "rejected"),
      encodeItemHash(itemHash),
      '{"sender":"0x',
    );
    assert.deepEqual([viewOf(seed, itemHash)?.message, viewOf(seed, itemHash)?.details], [null, null]);
  });

  it("tells forgotten and removed messages, and what has no snapshot left", () => {
    const seed = new SeedDatabase();
    const forget = seed.message({ type: "FORGET" });
    const [parent, child, removed, bare] = ["parent", "child", "removed", "bare"].map(sha256) as [
      string,
      string,
      string,
      string,
    ];
    seedForgotten(seed, { itemHash: parent, forgottenMicros: BASE, forgottenBy: [forget] });
    seedForgotten(seed, { itemHash: child, forgottenMicros: null, parent });
    for (const itemHash of [parent, child]) {
      const view = viewOf(seed, itemHash);
      const message = view?.message as Record<string, unknown>;
      assert.deepEqual(view?.forgotten_by, [forget.itemHash]);
      assert.equal(message.forgotten_at, 1_700_000_000);
      assert.equal("status" in message || "forgotten_by" in message || "content" in message, false);
    }
    seed.connection.run(
      "INSERT INTO removed (id, payment_id, size, removed_us) VALUES (?, ?, 154, ?)",
      seed.item(removed, "removed"),
      seed.label("credit"),
      1_645_794_165_400_000n,
    );
    const view = viewOf(seed, removed);
    assert.deepEqual(
      [view?.reason, view?.removed_at, view?.size],
      ["credit_insufficient", 1_645_794_165.4, 154],
    );
    seed.item(bare, "removed");
    assert.equal(viewOf(seed, bare), null);
    assert.equal(createSqlitePointReads(seed.connection).messageView(bare)?.status, "removed");
  });

  it("knows nothing of unknown hashes and of texts that are no hash", () => {
    const seed = new SeedDatabase();
    seed.message();
    const reads = createSqlitePointReads(seed.connection);
    for (const text of ["", "x", sha256("unknown"), "AB".repeat(32), "\u0000", "Qm".repeat(23)]) {
      assert.equal(reads.messageView(text), null);
      assert.equal(reads.statusOf(text), null);
      assert.equal(reads.contentJson(text), null);
      assert.equal(reads.factsOf(text), null);
      assert.deepEqual(reads.eventsOf(text), []);
    }
  });

  it("unwraps the content of POSTs and not of others, and gives none for messages that are not live", () => {
    const seed = new SeedDatabase();
    const reads = createSqlitePointReads(seed.connection);
    const post = seed.message({ members: '"type":"n","content":[1152921504606846977]' });
    const empty = seed.message({ members: '"type":"n"' });
    const forget = seed.message({ type: "FORGET", inline: false });
    const pending = sha256("p");
    seed.item(pending, "pending");
    assert.deepEqual(reads.contentJson(post.itemHash), {
      status: "processed",
      json: "[1152921504606846977]",
    });
    assert.deepEqual(reads.contentJson(empty.itemHash), { status: "processed", json: "null" });
    assert.deepEqual(reads.contentJson(forget.itemHash), { status: "processed", json: forget.content });
    assert.deepEqual(reads.contentJson(pending), { status: "pending", json: null });
    assert.deepEqual(reads.rawMessage(post.itemHash), { envelope: post.envelope, content: null });
  });
});

describe("aggregates of an address", () => {
  function seeded() {
    const seed = new SeedDatabase();
    const first = seed.message({ type: "AGGREGATE" });
    const last = seed.message({ type: "AGGREGATE" });
    const aggregate = { owner: "0xA", createdMicros: BASE, updatedMicros: BASE + 1n, first, last };
    seedAggregate(seed, {
      ...aggregate,
      key: "profile",
      fields: { z: "1.0", a: '{"n":1152921504606846977}', "": "null" },
    });
    seedAggregate(seed, { ...aggregate, key: "empty", fields: {} });
    return { seed, first, last, reads: createSqlitePointReads(seed.connection) };
  }

  it("splices the fields in order, and finds only the keys that exist", () => {
    const { reads, first, last } = seeded();
    const [empty, profile] = reads.aggregates("0xA", null);
    assert.deepEqual([empty?.key, empty?.contentJson], ["empty", "{}"]);
    assert.equal(profile?.contentJson, '{"":null,"a":{"n":1152921504606846977},"z":1.0}');
    assert.deepEqual(
      [profile?.createdMicros, profile?.updatedMicros, profile?.firstItemHash, profile?.lastItemHash],
      [BASE, BASE + 1n, first.itemHash, last.itemHash],
    );
    const keys = (asked: string[]) => reads.aggregates("0xA", asked).map(({ key }) => key);
    assert.deepEqual([keys(["profile", "none"]), keys(["none"]), keys([])], [["profile"], [], []]);
    assert.deepEqual(reads.aggregates("0xa", null), []);
  });

  it("has a version that changes with any field, even when the newest element stays", () => {
    const { seed, first, reads } = seeded();
    const [before] = reads.aggregateVersions("0xA", ["profile"]);
    assert.equal(before?.version, reads.aggregates("0xA", ["profile"])[0]?.version);
    assert.deepEqual(reads.aggregateVersions("0xA", ["profile"]), [before]);
    seed.connection.run("UPDATE aggregate_fields SET item_id = ?, value = '2' WHERE field = 'z'", first.id);
    const [after] = reads.aggregateVersions("0xA", ["profile"]);
    assert.equal(after?.lastItemHash, before?.lastItemHash);
    assert.notEqual(after?.version, before?.version);
  });
});

describe("authorizations", () => {
  function seeded(lists: Readonly<Record<string, string>>) {
    const seed = new SeedDatabase();
    const element = seed.message({ type: "AGGREGATE" });
    for (const [owner, authorizations] of Object.entries(lists)) {
      seedAggregate(seed, {
        owner,
        key: "security",
        updatedMicros: BASE,
        first: element,
        last: element,
        fields: { authorizations },
      });
    }
    const points = createSqlitePointReads(seed.connection);
    const lists_ = createSqliteListReads(seed.connection);
    return { granted: points.authorizationsGranted, received: lists_.authorizationsReceived };
  }

  const LISTS = {
    "0xB":
      '[{"address":"0xG","types":["POST"],"channels":["c1"],"chain":"ETH","x":1152921504606846977},{"address":"0xH"},{"address":"0xG"}]',
    "0xA":
      '[{"address":"0x\\u0047","aggregate_keys":["k"],"post_types":[]},{"types":["POST"]},7,null,{"address":5}]',
    "0xC": '{"address":"0xG"}',
    "0xD": "null",
  };

  it("groups what was granted by grantee, without addresses, numbers intact", () => {
    const { granted } = seeded(LISTS);
    assert.deepEqual(granted("0xB"), [
      {
        address: "0xG",
        entriesJson: ['{"types":["POST"],"channels":["c1"],"chain":"ETH","x":1152921504606846977}', "{}"],
      },
      { address: "0xH", entriesJson: ["{}"] },
    ]);
    assert.deepEqual(
      granted("0xB", { other: "0xH" }).map(({ address }) => address),
      ["0xH"],
    );
    for (const nobody of ["0xC", "0xD", "0xNobody"]) assert.deepEqual(granted(nobody), []);
  });

  it("finds who granted, by exact address, ordered by granter", () => {
    const { received } = seeded(LISTS);
    const found = received("0xG", {}, UNLIMITED);
    assert.deepEqual(
      found.map(({ address }) => address),
      ["0xA", "0xB"],
    );
    assert.deepEqual(found[0]?.entriesJson, ['{"aggregate_keys":["k"],"post_types":[]}']);
    assert.deepEqual(
      received("0xG", { other: "0xB" }, UNLIMITED).map(({ address }) => address),
      ["0xB"],
    );
    assert.deepEqual(received("0xg", {}, UNLIMITED), []);
  });

  it("lets a dimension that is absent or empty pass every filter", () => {
    const { granted } = seeded(LISTS);
    const count = (filter: object, owner = "0xB") =>
      granted(owner, filter).flatMap(({ entriesJson }) => entriesJson).length;
    assert.equal(count({ types: ["POST"] }), 3);
    assert.equal(count({ types: ["STORE"] }), 2);
    assert.equal(count({ chains: ["SOL", "ETH"], channels: ["c1"] }), 3);
    assert.equal(count({ chains: ["SOL"] }), 2);
    assert.equal(count({ postTypes: ["p"] }, "0xA"), 1);
    assert.equal(count({ aggregateKeys: ["other"] }, "0xA"), 0);
  });
});

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
    const reads = createSqlitePointReads(seed.connection);
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
    assert.deepEqual(reads.fileByRef("my/file", "0xA"), { ...view, ref: "my/file" });
    assert.equal(reads.fileByRef("my/file", null), null);
    assert.equal(reads.fileByRef("my/file", "0xB"), null);
    assert.deepEqual(reads.fileByRef(store.itemHash, null), { ...view, ref: store.itemHash });
    assert.deepEqual(reads.fileByRef(store.itemHash, "0xOther"), { ...view, ref: store.itemHash });
  });

  it("gives the events of an item with causes, and live messages after a number", () => {
    const seed = new SeedDatabase();
    const reads = createSqlitePointReads(seed.connection);
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
    const live = reads.liveMessages(0, 10);
    assert.deepEqual(
      live.map(({ seq, facts }) => [seq, facts.itemHash]),
      [
        [2, first.itemHash],
        [4, second.itemHash],
      ],
    );
    assert.equal(live[0]?.json, reads.messageJson(first.itemHash));
    assert.equal(live[0]?.withoutContentJson, reads.messageJson(first.itemHash, { contentFormat: "none" }));
    assert.deepEqual([live[0]?.origin, live[0]?.facts.tags], ["http", ["x"]]);
    assert.deepEqual(
      reads.liveMessages(2, 10).map(({ seq }) => seq),
      [4],
    );
    assert.equal(reads.liveMessages(0, 1).length, 1);
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
    const reads = createSqlitePointReads(seed.connection);
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
    const lists = createSqliteListReads(seed.connection);
    assert.deepEqual(lists.channels(UNLIMITED), ["TEST", "c1", "c2", "c3"]);
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
    const lists = createSqliteListReads(seed.connection);
    assert.deepEqual(lists.programsOnMessage("desc"), [
      `{"item_hash":"${updated.itemHash}","content":{"on":{"message":[{"sender":"0xNew","n":1152921504606846977}]}}}`,
    ]);
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
      lists.nodeMetrics(window).map(({ metricsJson }) => metricsJson),
      ['{"at":3}', '{"at":2}'],
    );
    assert.deepEqual(lists.nodeMetrics({ ...window, nodeId: "none" }), []);
  });
});
