import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sliceMember, sliceMembers } from "@twentysix/protocol";
import fc from "fast-check";
import { memberRange } from "../../src/database/read/long-text/member-range.ts";
import {
  createPointReads,
  type ItemText,
  LONG_TEXT_BYTES,
  type LongPart,
  type MessagesQuery,
  type PostsQuery,
  ReadError,
  renderMessageView,
  type SyncListReads,
  UNLIMITED,
} from "../../src/index.ts";
import { createListReads } from "../../src/reader.ts";
import { SeedDatabase, type Seeded } from "./seed.ts";
import { seedAggregate, seedPost } from "./seed-derived.ts";
import { heldText, wholeText } from "./walk-list.ts";

const BASE = 1_700_000_000_000_000n;
const MESSAGES: MessagesQuery = { filter: {}, sortBy: "time", direction: "asc" };
const POSTS: PostsQuery = { version: 0, sortBy: "time", direction: "asc" };
/** More than one piece, its characters of several widths so that some are cut in the middle. */
const LONG = "aä€😀".repeat(LONG_TEXT_BYTES / 8);
const first20 = { page: 1, pageSize: 20 };

type Json = Record<string, unknown>;
const hasCode = (code: string) => (error: unknown) => error instanceof ReadError && error.code === code;
const isLong = (text: ItemText | null | undefined): boolean => typeof text === "object" && text !== null;

function whole(reads: SyncListReads, text: ItemText | null | undefined): Json {
  assert.ok(isLong(text), "the text is given in parts");
  return JSON.parse(wholeText(reads, text ?? "")) as Json;
}

function storedLong(seed: SeedDatabase, members: string, type: "POST" | "AGGREGATE" = "POST"): Seeded {
  return seed.message({ type, members, inline: false });
}

describe("long texts", () => {
  it("are the content of a message in parts, byte for byte, in lists and by hash", () => {
    const seed = new SeedDatabase();
    const stored = storedLong(
      seed,
      `"type":"note","ref":"r1","content":{"n":1152921504606846977,"tags":["t"],"text":"${LONG}"}`,
    );
    seed.message();
    const reads = createListReads(seed.connection);
    const points = createPointReads(seed.connection);
    const [item, small] = reads.lists.messages.page(MESSAGES, first20, UNLIMITED).items;
    assert.ok(wholeText(reads, item ?? "").includes(`"content":${stored.content},`));
    assert.equal(whole(reads, item).item_hash, stored.itemHash);
    heldText(small);
    const view = points.messageView(stored.itemHash) ?? assert.fail();
    assert.deepEqual(whole(reads, renderMessageView(view)).message, whole(reads, item));
    const inner = points.contentJson(stored.itemHash)?.json ?? "";
    assert.ok(isLong(inner));
    assert.equal(wholeText(reads, inner), sliceMember(stored.content, "content"));
    assert.equal(points.rawMessage(stored.itemHash)?.content, stored.content);
    assert.deepEqual(points.factsOf(stored.itemHash)?.tags, ["t"]);
  });

  it("need no content where only headers or nothing of it is wanted", () => {
    const seed = new SeedDatabase();
    storedLong(seed, `"content":"${LONG}","type":"note","ref":"r1"`);
    const reads = createListReads(seed.connection);
    const shaped = (contentFormat: "headers" | "none") =>
      reads.lists.messages.page({ ...MESSAGES, contentFormat }, first20, UNLIMITED).items[0];
    heldText(shaped("none"));
    assert.deepEqual(whole(reads, shaped("headers")).content, { address: "0xA", type: "note", ref: "r1" });
  });

  it("are the content, the type and the ref of posts", () => {
    const seed = new SeedDatabase();
    const original = storedLong(seed, `"type":${JSON.stringify(LONG)},"ref":"r1","content":{"v":1}`);
    const amend = storedLong(seed, `"type":"amend","ref":"x","content":{"v":"${LONG}"}`);
    seedPost(seed, {
      original,
      type: LONG,
      ref: "r1",
      createdMicros: BASE,
      current: amend,
      updatedMicros: BASE + 9n,
    });
    const reads = createListReads(seed.connection);
    const post = whole(reads, reads.lists.posts.page(POSTS, first20, UNLIMITED).items[0]);
    assert.deepEqual(
      [post.original_type, post.type, post.ref, post.content, post.original_item_hash],
      [LONG, "amend", "r1", { v: LONG }, original.itemHash],
    );
    const v1 = reads.lists.posts.page({ ...POSTS, version: 1 }, first20, UNLIMITED).items[0];
    assert.deepEqual([whole(reads, v1).original_type, whole(reads, v1).content], [LONG, { v: LONG }]);
  });

  it("are given whole or not at all: a message that goes away between two pieces ends the reading", () => {
    const seed = new SeedDatabase();
    storedLong(seed, `"type":"note","content":"${LONG}"`);
    storedLong(seed, `"type":"note","content":"b${LONG}"`);
    const reads = createListReads(seed.connection);
    const parts = reads.lists.messages.page(MESSAGES, first20, UNLIMITED).items.map((item) => longPart(item));
    const [part] = parts;
    const begun = reads.piece(part ?? assert.fail(), null, UNLIMITED);
    assert.equal(begun.bytes.length, LONG_TEXT_BYTES);
    seed.connection.run("DELETE FROM copies");
    reads.releaseTexts();
    assert.throws(() => reads.piece(part ?? assert.fail(), begun.next, UNLIMITED), hasCode("TEXT_CHANGED"));
    assert.throws(() => reads.piece(parts[1] ?? assert.fail(), null, UNLIMITED), hasCode("TEXT_CHANGED"));
  });

  it("end a page and a cursor page after the bytes that are wanted, and the rest follows", () => {
    const seed = new SeedDatabase();
    const stored = Array.from({ length: 12 }, (_, n) =>
      n % 5 === 3
        ? storedLong(seed, `"type":"note","content":[${n},"${LONG}"]`)
        : seed.message({ members: `"type":"note","content":"${"x".repeat(1_000)}${n}"` }),
    );
    const hashes = stored.map(({ itemHash }) => itemHash);
    const reads = createListReads(seed.connection);
    const hashOf = (item: ItemText) => (JSON.parse(wholeText(reads, item)) as Json).item_hash;
    const list = reads.lists.messages;
    for (const maxBytes of [1, 5_000, 100_000_000]) {
      const page = list.page(MESSAGES, { page: 2, pageSize: 5, maxBytes }, UNLIMITED);
      const items = [...page.items];
      let rest = page.rest;
      while (rest !== null) {
        const request = { cursor: rest.cursor, pageSize: rest.items, maxBytes };
        const next = list.cursor(MESSAGES, request, UNLIMITED);
        items.push(...next.items);
        const left = rest.items - next.items.length;
        rest = left === 0 || next.nextCursor === null ? null : { cursor: next.nextCursor, items: left };
      }
      assert.deepEqual(items.map(hashOf), hashes.slice(5, 10), String(maxBytes));
      assert.equal(page.total, 12);
    }
    const sizes: number[] = [];
    const walked: unknown[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: ReturnType<typeof list.cursor> = list.cursor(
        MESSAGES,
        { cursor, pageSize: 5, maxBytes: 4_000 },
        UNLIMITED,
      );
      sizes.push(page.items.length);
      walked.push(...page.items.map(hashOf));
      cursor = page.nextCursor;
    }
    assert.deepEqual(walked, hashes);
    assert.ok(sizes.length > 3 && sizes.every((size) => size > 0), sizes.join());
  });

  it("are aggregates of many or large fields, joined in the order of the fields", () => {
    const seed = new SeedDatabase();
    const element = seed.message({ type: "AGGREGATE" });
    const fields: Record<string, string> = { "": '""', z: `{"n":1152921504606846977,"text":"${LONG}"}` };
    for (let n = 0; n < 300; n += 1) fields[`field "${n}"`] = `[${n},"${"é".repeat(n)}"]`;
    const many = Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`f${n}`, `${n}`]));
    const common = { owner: "0xA", updatedMicros: BASE, first: element, last: element };
    seedAggregate(seed, { ...common, key: "large", fields });
    seedAggregate(seed, { ...common, key: "many", fields: many });
    seedAggregate(seed, { ...common, key: "small", fields: { a: "1" } });
    seedAggregate(seed, { ...common, key: "few", fields: { a: "1", b: JSON.stringify(LONG) } });
    const points = createPointReads(seed.connection);
    assert.equal(points.aggregates("0xA", null), null);
    for (const key of ["large", "many"]) assert.equal(points.aggregateVersions("0xA", [key]), null);
    // Large, but quickly told from an older version of it.
    assert.equal(points.aggregates("0xA", ["few"]), null);
    const [few] = points.aggregateVersions("0xA", ["few"]) ?? [];
    assert.equal(points.aggregates("0xA", ["small"])?.length, 1);
    const reads = createListReads(seed.connection);
    const outlines = reads.aggregateOutlines("0xA", null, UNLIMITED);
    const contents = Object.fromEntries(
      outlines.map(({ key, content }) => [
        JSON.parse(heldText(key)) as string,
        JSON.parse(wholeText(reads, { parts: [content] })) as Json,
      ]),
    );
    const parsed = (texts: Record<string, string>): Json =>
      Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, JSON.parse(text) as unknown]));
    assert.deepEqual(contents, {
      large: parsed(fields),
      many: parsed(many),
      small: { a: 1 },
      few: { a: 1, b: LONG },
    });
    assert.equal(few?.version, outlines.find(({ key }) => key === '"few"')?.version);
    assert.equal(
      points.aggregateVersions("0xA", ["small"])?.[0]?.version,
      outlines.find(({ key }) => key === '"small"')?.version,
      "one version whichever way it is read",
    );
    const query = { sortBy: "last_modified", direction: "desc", keys: ["large"] } as const;
    const [listed] = reads.lists.aggregates.page(query, first20, UNLIMITED).items;
    assert.deepEqual(whole(reads, listed).content, parsed(fields));
  });

  it("are refused when an aggregate changed under them, so that no mixture of two is taken for one", () => {
    const seed = new SeedDatabase();
    const [first, late] = [seed.message({ type: "AGGREGATE" }), seed.message({ type: "AGGREGATE" })];
    const fields = { a: "1", b: JSON.stringify(LONG) };
    seedAggregate(seed, { owner: "0xA", key: "k", updatedMicros: BASE, first, last: first, fields });
    const reads = createListReads(seed.connection);
    const [outline] = reads.aggregateOutlines("0xA", ["k"], UNLIMITED);
    const part = outline?.content ?? assert.fail();
    const begun = reads.piece(part, null, UNLIMITED);
    seed.connection.run("UPDATE aggregate_fields SET item_id = ?, value = '2' WHERE field = 'a'", late.id);
    assert.throws(() => {
      for (let piece = begun; piece.next !== null; ) piece = reads.piece(part, piece.next, UNLIMITED);
    }, hasCode("TEXT_CHANGED"));
  });

  it("are keys of aggregates, which cursors then name by number", () => {
    const seed = new SeedDatabase();
    const element = seed.message({ type: "AGGREGATE" });
    const keys = [`a${LONG}`, `b${"k".repeat(5_000)}`, "c"];
    for (const key of keys) {
      const common = { owner: "0xA", updatedMicros: BASE, first: element, last: element };
      seedAggregate(seed, { ...common, key, fields: { a: "1" } });
    }
    const reads = createListReads(seed.connection);
    const found: unknown[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query = { sortBy: "last_modified", direction: "desc" } as const;
      const page = reads.lists.aggregates.cursor(query, { cursor, pageSize: 1 }, UNLIMITED);
      for (const item of page.items) found.push((JSON.parse(wholeText(reads, item)) as Json).key);
      cursor = page.nextCursor;
    }
    assert.deepEqual(found, keys);
    const outlines = reads.aggregateOutlines("0xA", null, UNLIMITED);
    assert.deepEqual(
      outlines.map(({ key }) => JSON.parse(wholeText(reads, key)) as unknown).sort(),
      [...keys].sort(),
    );
  });

  it("are the contents of queued copies and the subscriptions of programs", () => {
    const seed = new SeedDatabase();
    const program = seed.message({ type: "PROGRAM" });
    const triggers = JSON.stringify([{ sender: LONG }]);
    seed.connection.run(
      "INSERT INTO vms VALUES (?, 4, 1, ?, 1, ?, ?)",
      program.id,
      program.id,
      BASE,
      triggers,
    );
    const itemHash = "cd".repeat(32);
    const itemId = seed.item(itemHash, "pending");
    const content = `{"address":"0xA","time":1,"type":"n","content":"${LONG}"}`;
    seed.connection.run(
      `INSERT INTO candidates (item_id, identity, envelope, content, sender_id, origin, reception_us, attempts, next_attempt_us)
       VALUES (?, ?, ?, ?, 1, 0, ?, 0, ?)`,
      itemId,
      new Uint8Array(32),
      JSON.stringify({
        sender: "0xA",
        chain: "ETH",
        type: "POST",
        item_hash: itemHash,
        time: 1,
        channel: null,
      }),
      content,
      BASE,
      BASE,
    );
    const reads = createListReads(seed.connection);
    const [listed] = reads.programsOnMessage("desc", { cursor: null, pageSize: 5 }, UNLIMITED).items;
    assert.deepEqual(whole(reads, listed).content, { on: { message: JSON.parse(triggers) as unknown } });
    const view = createPointReads(seed.connection).messageView(itemHash) ?? assert.fail();
    const { messages } = whole(reads, renderMessageView(view)) as { messages: Json[] };
    assert.deepEqual(messages[0]?.content, JSON.parse(content));
  });

  it("are not searched as text: a member is found in the bytes where it is found in the text", () => {
    const members = fc.dictionary(
      fc.oneof(fc.constantFrom("content", "ref", "", "ä\u0001"), fc.string({ unit: "binary" })),
      fc.jsonValue(),
    );
    const spaces = fc.constantFrom(0, 1, "\t");
    fc.assert(
      fc.property(members, spaces, (value, space) => {
        const text = JSON.stringify(value, null, space);
        const bytes = Buffer.from(text);
        for (const key of [...sliceMembers(text).keys(), "content", "none"]) {
          const range = memberRange(bytes, key);
          const found = range === undefined ? undefined : bytes.toString("utf8", range.start, range.end);
          assert.equal(found, sliceMember(text, key));
        }
      }),
    );
    const escaped = '{"c\\u006fntent":1,"content":[{"content":2}],"x":"\\\\\\"}"}';
    const range = memberRange(Buffer.from(escaped), "content") ?? assert.fail();
    assert.equal(Buffer.from(escaped).toString("utf8", range.start, range.end), '[{"content":2}]');
  });
});

function longPart(item: ItemText): LongPart {
  const parts = typeof item === "string" ? [] : item.parts;
  return parts.find((part) => typeof part !== "string") ?? assert.fail("no part of it is long");
}
