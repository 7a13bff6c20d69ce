import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type MessageFilter,
  type MessagesQuery,
  PAYMENT_TYPES,
  type SyncListReads,
  UNLIMITED,
} from "../../src/index.ts";
import { createListReads } from "../../src/reader.ts";
import { SeedDatabase } from "./seed.ts";
import { hashesOf, heldText, walkList } from "./walk-list.ts";

const BASE = 1_700_000_000_000_000n;

function query(filter: MessageFilter = {}, rest: Partial<MessagesQuery> = {}): MessagesQuery {
  return { filter, sortBy: "time", direction: "desc", ...rest };
}

function pageOf(reads: SyncListReads, asked: MessagesQuery, page = 1, pageSize = 20) {
  return reads.lists.messages.page(asked, { page, pageSize }, UNLIMITED);
}

describe("message list", () => {
  it("has exactly the members of the list shape, with the stored texts spliced in", () => {
    const seed = new SeedDatabase();
    const big = 2n ** 60n + 1n;
    const stored = seed.message({
      members: `"type":"note","content":{"id":${big},"text":"\\u00e9 \\"q\\"","f":1.50}`,
      timeMicros: BASE + 573_859n,
      confirmation: { timeMicros: BASE + 9n, height: 18_500_000 },
    });
    const reads = createListReads(seed.connection);
    const item = heldText(pageOf(reads, query()).items[0]);
    const value = JSON.parse(item) as Record<string, unknown>;
    assert.deepEqual(Object.keys(value).sort(), [
      "chain",
      "channel",
      "confirmations",
      "confirmed",
      "content",
      "item_content",
      "item_hash",
      "item_type",
      "sender",
      "signature",
      "size",
      "time",
      "type",
    ]);
    assert.ok(
      item.includes(`"content":${stored.content},`),
      "the content is the author's text, byte for byte",
    );
    assert.ok(item.includes(`"id":${big}`));
    assert.ok(item.includes('"time":1700000000.573859,'));
    assert.equal(value.item_content, stored.content);
    assert.equal(value.size, Buffer.byteLength(stored.content));
    assert.deepEqual(value.confirmations, [
      {
        chain: "ETH",
        height: 18_500_000,
        hash: `0x${stored.itemHash.slice(0, 8)}`,
        time: 1_700_000_000.000009,
        publisher: "0xPublisher",
      },
    ]);
  });

  it("serves content that is not inline, without item_content", () => {
    const seed = new SeedDatabase();
    const stored = seed.message({ inline: false });
    const item = heldText(pageOf(createListReads(seed.connection), query()).items[0]);
    const value = JSON.parse(item) as Record<string, unknown>;
    assert.equal(value.item_content, null);
    assert.equal(value.item_type, "storage");
    assert.ok(item.includes(`"content":${stored.content},`));
  });

  it("reduces the content to headers, or leaves it out, and adds members only when asked", () => {
    const seed = new SeedDatabase();
    const file = "cd".repeat(32);
    seed.message({ members: '"type":"note","ref":"r1","content":{"a":1}', timeMicros: BASE + 5n });
    seed.message({ type: "AGGREGATE", owner: "0xOwner", timeMicros: BASE + 4n });
    seed.message({
      type: "STORE",
      members: `"item_type":"storage","item_hash":"${file}","ref":null`,
      timeMicros: BASE + 3n,
    });
    seed.message({ type: "FORGET", timeMicros: BASE + 2n });
    const reads = createListReads(seed.connection);
    const contents = pageOf(reads, query({}, { contentFormat: "headers" })).items.map(
      (item) => (JSON.parse(heldText(item)) as { content: unknown }).content,
    );
    assert.deepEqual(contents, [
      { address: "0xA", type: "note", ref: "r1" },
      { address: "0xOwner", key: "profile" },
      { address: "0xA", item_hash: file },
      { address: "0xA" },
    ]);
    for (const item of pageOf(reads, query({}, { contentFormat: "none" })).items) {
      const value = JSON.parse(heldText(item)) as Record<string, unknown>;
      assert.equal("content" in value, false);
      assert.equal(typeof value.item_content, "string");
    }
    const extra = pageOf(
      reads,
      query({}, { extraFields: ["status", "reception_time", "owner", "payment_type", "size_bytes"] }),
      2,
      1,
    ).items;
    const value = JSON.parse(heldText(extra[0])) as Record<string, unknown>;
    assert.equal(value.status, "processed");
    assert.equal(value.owner, "0xOwner");
    assert.equal(value.payment_type, null);
    assert.equal(value.reception_time, "2023-11-14T22:13:20.000009Z");
  });

  it("orders by microsecond and then by hash, ascending in both directions", () => {
    const seed = new SeedDatabase();
    const byTime = new Map<bigint, string[]>();
    for (let at = 0; at < 60; at += 1) {
      const micros = BASE + BigInt(at % 4);
      const { itemHash } = seed.message({ timeMicros: micros });
      byTime.set(micros, [...(byTime.get(micros) ?? []), itemHash]);
    }
    const groups = [...byTime.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, hashes]) => hashes.sort());
    const reads = createListReads(seed.connection);
    const ascending = query({}, { direction: "asc" });
    assert.deepEqual(hashesOf(walkList(reads, "messages", ascending)), groups.flat());
    assert.deepEqual(hashesOf(walkList(reads, "messages", query())), [...groups].reverse().flat());
    const pages = Array.from({ length: 9 }, (_, at) => pageOf(reads, query(), at + 1, 7).items);
    assert.deepEqual(hashesOf(pages.flat()), [...groups].reverse().flat());
  });

  it("finds the same page at any depth as a walk from the start", () => {
    const seed = new SeedDatabase();
    seed.transaction(() => {
      for (let at = 0; at < 2_500; at += 1) {
        seed.message({ sender: `0x${at % 3}`, timeMicros: BASE + BigInt(Math.floor(at / 40)) });
      }
    });
    const reads = createListReads(seed.connection);
    for (const filter of [
      {},
      { senders: ["0x0", "0x2"] },
      { types: ["POST"] as const, channels: ["TEST"] },
    ]) {
      for (const direction of ["asc", "desc"] as const) {
        const asked = query(filter, { direction, contentFormat: "none" });
        const all = walkList(reads, "messages", asked, 200);
        for (const page of [26, 40, 61, 83]) {
          assert.deepEqual(pageOf(reads, asked, page).items, all.slice((page - 1) * 20, page * 20));
        }
      }
    }
  });

  it("puts unconfirmed messages first when descending and last when ascending, whatever the filter", () => {
    const seed = new SeedDatabase();
    const unconfirmed: string[] = [];
    const confirmed: string[] = [];
    for (let at = 0; at < 40; at += 1) {
      const isConfirmed = at % 3 !== 0;
      const confirmation = { timeMicros: BASE - BigInt(at), height: 100 - at };
      const timeMicros = BASE + BigInt(at);
      const { itemHash } = seed.message(isConfirmed ? { timeMicros, confirmation } : { timeMicros });
      (isConfirmed ? confirmed : unconfirmed).push(itemHash);
    }
    const reads = createListReads(seed.connection);
    const byConfirmation = { sortBy: "confirmation" } as const;
    const descending = [...[...unconfirmed].reverse(), ...confirmed];
    assert.deepEqual(hashesOf(walkList(reads, "messages", query({}, byConfirmation))), descending);
    const ascending = query({}, { ...byConfirmation, direction: "asc" });
    assert.deepEqual(hashesOf(walkList(reads, "messages", ascending)), [...descending].reverse());
    const second = pageOf(reads, query({}, byConfirmation), 2, 15);
    assert.deepEqual(hashesOf(second.items), descending.slice(15, 30));
    assert.equal(second.total, 40);
  });

  it("keeps unconfirmed messages behind startBlock and drops them behind endBlock", () => {
    const seed = new SeedDatabase();
    const none = seed.message().itemHash;
    const low = seed.message({ confirmation: { timeMicros: BASE, height: 10 } }).itemHash;
    const high = seed.message({ confirmation: { timeMicros: BASE + 1n, height: 20 } }).itemHash;
    const reads = createListReads(seed.connection);
    const found = (filter: MessageFilter) => hashesOf(pageOf(reads, query(filter)).items);
    assert.deepEqual(found({ startBlock: 20 }), [none, high]);
    assert.deepEqual(found({ endBlock: 20 }), [low]);
    assert.deepEqual(found({ startBlock: 10, endBlock: 30 }), [high, low]);
    assert.deepEqual(found({ confirmed: false }), [none]);
    assert.deepEqual(found({ confirmed: true }).sort(), [low, high].sort());
  });

  it("gives totals from counters for every dimension that has one, and says when it stopped counting", () => {
    const seed = new SeedDatabase();
    seed.transaction(() => {
      for (let at = 0; at < 90; at += 1) {
        const type = at % 3 === 0 ? "AGGREGATE" : "POST";
        seed.message({ type, sender: `0x${at % 2}`, owner: `0xo${at % 5}`, channel: `c${at % 4}` });
      }
    });
    const reads = createListReads(seed.connection);
    const totals: [MessageFilter, number][] = [
      [{}, 90],
      [{ types: ["POST"] }, 60],
      [{ senders: ["0x0"] }, 45],
      [{ senders: ["0x0", "0x1", "0x9"], types: ["POST"] }, 60],
      [{ owners: ["0xo1", "0xo2"] }, 36],
      [{ channels: ["c1"], types: ["POST"] }, 16],
      [{ contentTypes: ["note"] }, 60],
      [{ contentKeys: ["profile"] }, 30],
      [{ contentTypes: ["note"], senders: ["0x1"] }, 30],
      [{ chains: ["ETH"] }, 90],
      [{ senders: ["0x0"], channels: ["c0"] }, 23],
      [{ contentKeys: ["note"] }, 0],
      [{ senders: [] }, 0],
    ];
    for (const [filter, total] of totals) {
      const page = pageOf(reads, query(filter), 1, 5);
      assert.deepEqual([page.total, page.approximate], [total, false], JSON.stringify(filter));
    }
  });

  it("counts no further than a bound when no counter answers", () => {
    const seed = new SeedDatabase();
    seed.transaction(() => {
      for (let at = 0; at < 10_050; at += 1) seed.message({ timeMicros: BASE + BigInt(at) });
    });
    const reads = createListReads(seed.connection);
    const some = pageOf(reads, query({ startMicros: BASE }));
    assert.deepEqual([some.total, some.approximate], [10_000, true]);
    const exact = pageOf(reads, query({ startMicros: BASE + 100n }));
    assert.deepEqual([exact.total, exact.approximate], [9_950, false]);
    const deep = pageOf(reads, query({ startMicros: BASE }), 502);
    assert.deepEqual([deep.items.length, deep.total, deep.approximate], [20, 10_040, true]);
    const last = pageOf(reads, query({ startMicros: BASE }), 503);
    assert.deepEqual([last.items.length, last.total, last.approximate], [10, 10_050, false]);
    const behind = pageOf(reads, query({ startMicros: BASE }), 600);
    assert.deepEqual([behind.items.length, behind.total, behind.approximate], [0, 10_000, true]);
  });

  it("merges long lists of values, and gives a message with several wanted tags once", () => {
    const seed = new SeedDatabase();
    const all: string[] = [];
    seed.transaction(() => {
      for (let at = 0; at < 300; at += 1) {
        const members = `"type":"t","content":{"tags":["x","y${at % 3}",7,"x"]}`;
        all.push(seed.message({ sender: `0x${at % 150}`, members }).itemHash);
      }
    });
    const reads = createListReads(seed.connection);
    const expected = [...all].reverse();
    const senders = Array.from({ length: 150 }, (_, at) => `0x${at}`);
    assert.deepEqual(hashesOf(walkList(reads, "messages", query({ senders }))), expected);
    assert.deepEqual(hashesOf(walkList(reads, "messages", query({ tags: ["x", "y1", "y2"] }))), expected);
    const some = pageOf(
      reads,
      query({ itemHashes: [...all.slice(0, 100), all[3] ?? "", "ff".repeat(32)] }),
      1,
      101,
    );
    assert.deepEqual([some.items.length, some.total], [100, 100]);
  });

  it("tells processed messages from those about to be removed", () => {
    const seed = new SeedDatabase();
    const removing = seed.message({ status: "removing" }).itemHash;
    const processed = seed.message().itemHash;
    const reads = createListReads(seed.connection);
    const found = (statuses: MessageFilter["statuses"] & object) =>
      hashesOf(pageOf(reads, query({ statuses })).items);
    assert.deepEqual(found(["processed", "removing"]), [processed, removing]);
    assert.deepEqual(found(["removing"]), [removing]);
    assert.deepEqual(found(["processed", "rejected"]), [processed]);
    assert.deepEqual(found(["pending", "rejected"]), []);
    assert.equal(pageOf(reads, query({ senders: ["0xA"] }), 1, 1).total, 2);
  });

  it("filters by payment type, ref, file hash and chain", () => {
    const seed = new SeedDatabase();
    const file = "ee".repeat(32);
    const stored = seed.message({
      type: "STORE",
      members: `"item_type":"storage","item_hash":"${file}","ref":"my-site","payment":{"type":"credit"}`,
      chain: "SOL",
    }).itemHash;
    seed.message();
    const reads = createListReads(seed.connection);
    const filters: MessageFilter[] = [
      { paymentTypes: [PAYMENT_TYPES[2], "hold"] },
      { refs: ["my-site", "other"] },
      { contentHashes: [file] },
      { chains: ["SOL", "AVAX"] },
    ];
    for (const filter of filters) assert.deepEqual(hashesOf(pageOf(reads, query(filter)).items), [stored]);
    assert.deepEqual(pageOf(reads, query({ refs: ["my-sit"] })).items, []);
  });

  it("leaves out a message that was forgotten between locating and rendering, and goes on behind it", () => {
    const seed = new SeedDatabase();
    const stored = Array.from({ length: 5 }, () => seed.message());
    // A row of the index whose texts are gone, which is what such a race looks like to the reader.
    seed.connection.run("DELETE FROM copies WHERE item_id = ?", stored[2]?.id ?? 0);
    const reads = createListReads(seed.connection);
    const rest = stored.filter((_, at) => at !== 2).map(({ itemHash }) => itemHash);
    assert.deepEqual(hashesOf(walkList(reads, "messages", query(), 1)), rest.reverse());
  });
});
