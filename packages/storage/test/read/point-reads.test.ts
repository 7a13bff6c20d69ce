import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeItemHash } from "@twentysix/protocol";
import { createPointReads, renderMessageView, UNLIMITED } from "../../src/index.ts";
import { createListReads } from "../../src/reader.ts";
import { SeedDatabase, sha256 } from "./seed.ts";
import { seedAggregate, seedForgotten } from "./seed-derived.ts";
import { heldText } from "./walk-list.ts";

const BASE = 1_700_000_000_000_000n;

function viewOf(seed: SeedDatabase, itemHash: string): Record<string, unknown> | null {
  const view = createPointReads(seed.connection).messageView(itemHash);
  const body = view === null ? null : renderMessageView(view);
  return body === null ? null : (JSON.parse(heldText(body)) as Record<string, unknown>);
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
    const reads = createPointReads(seed.connection);
    const list = createListReads(seed.connection).lists.messages;
    const query = { filter: { itemHashes: [stored.itemHash] }, sortBy: "time", direction: "desc" } as const;
    assert.deepEqual(list.page(query, { page: 1, pageSize: 1 }, UNLIMITED).items, [
      reads.messageJson(stored.itemHash),
    ]);
    assert.ok(heldText(reads.messageJson(stored.itemHash)).includes('"id":1152921504606846977'));
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
    const read = createPointReads(seed.connection).messageView(itemHash) ?? assert.fail();
    assert.ok(heldText(renderMessageView(read)).includes('"content":{"big":1152921504606846977}'));
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
    assert.equal(createPointReads(seed.connection).messageView(bare)?.status, "removed");
  });

  it("knows nothing of unknown hashes and of texts that are no hash", () => {
    const seed = new SeedDatabase();
    seed.message();
    const reads = createPointReads(seed.connection);
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
    const reads = createPointReads(seed.connection);
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
    return { seed, first, last, reads: createPointReads(seed.connection) };
  }

  it("splices the fields in order, and finds only the keys that exist", () => {
    const { reads, first, last } = seeded();
    const [empty, profile] = reads.aggregates("0xA", null) ?? [];
    assert.deepEqual([empty?.key, empty?.contentJson], ["empty", "{}"]);
    assert.equal(profile?.contentJson, '{"":null,"a":{"n":1152921504606846977},"z":1.0}');
    assert.deepEqual(
      [profile?.createdMicros, profile?.updatedMicros, profile?.firstItemHash, profile?.lastItemHash],
      [BASE, BASE + 1n, first.itemHash, last.itemHash],
    );
    const keys = (asked: string[]) => reads.aggregates("0xA", asked)?.map(({ key }) => key);
    assert.deepEqual([keys(["profile", "none"]), keys(["none"]), keys([])], [["profile"], [], []]);
    assert.deepEqual(reads.aggregates("0xa", null), []);
  });

  it("has a version that changes with any field, even when the newest element stays", () => {
    const { seed, first, reads } = seeded();
    const [before] = reads.aggregateVersions("0xA", ["profile"]) ?? [];
    assert.equal(before?.version, reads.aggregates("0xA", ["profile"])?.[0]?.version);
    assert.deepEqual(reads.aggregateVersions("0xA", ["profile"]), [before]);
    seed.connection.run("UPDATE aggregate_fields SET item_id = ?, value = '2' WHERE field = 'z'", first.id);
    const [after] = reads.aggregateVersions("0xA", ["profile"]) ?? [];
    assert.equal(after?.lastItemHash, before?.lastItemHash);
    assert.notEqual(after?.version, before?.version);
  });
});
