import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type ListName, type ListQueries, ReadError, UNLIMITED } from "../../src/index.ts";
import { createListReads } from "../../src/reader.ts";
import { SeedDatabase } from "./seed.ts";

const QUERIES: { readonly [Name in ListName]: ListQueries[Name] } = {
  messages: { filter: {}, sortBy: "time", direction: "desc" },
  terminated: { status: "forgotten", filter: {}, direction: "desc" },
  hashes: { direction: "desc", hashOnly: true },
  posts: { version: 1, sortBy: "time", direction: "desc" },
  aggregates: { sortBy: "last_modified", direction: "desc" },
  accountFiles: { address: "0xA", direction: "desc", createdAs: "iso" },
  addressStats: { sortBy: "total", direction: "desc" },
  balances: {},
  creditBalances: { nowMicros: 0n },
  creditHistory: { address: "0xA", filter: {}, sortBy: "message_timestamp", direction: "desc" },
  costs: { paymentType: "credit", withLines: false, withSizes: false },
  endedCosts: { sinceMicros: 0n },
};
const NAMES = Object.keys(QUERIES) as ListName[];

const isInvalid = (error: unknown): boolean => error instanceof ReadError && error.code === "CURSOR_INVALID";
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function seeded() {
  const seed = new SeedDatabase();
  for (let at = 0; at < 5; at += 1) seed.message({ sender: `0x${at}` });
  const reads = createListReads(seed.connection);
  const read = (name: ListName, query: object, cursor: string | null) =>
    reads.lists[name].cursor(query as never, { cursor, pageSize: 2 }, UNLIMITED);
  return { reads, read };
}

describe("cursor", () => {
  it("is refused by every list when it is malformed", () => {
    const { read } = seeded();
    const shapes = [
      "x",
      "%%%",
      "====",
      "A".repeat(5_000),
      encode(null),
      encode({}),
      encode([]),
      encode("text"),
      encode([1, 2, 3, 4, 5]),
      encode(["messages"]),
      Buffer.from([0xff, 0xfe]).toString("base64url"),
      Buffer.from('["messages",').toString("base64url"),
    ];
    for (const name of NAMES) {
      for (const cursor of shapes)
        assert.throws(() => read(name, QUERIES[name], cursor), isInvalid, `${name} ${cursor}`);
    }
  });

  it("is refused when a part of it has another type or is out of range", () => {
    const { read } = seeded();
    const { nextCursor } = read("messages", QUERIES.messages, "");
    assert.ok(nextCursor !== null);
    const body = JSON.parse(Buffer.from(nextCursor, "base64url").toString()) as unknown[];
    const replacements: [number, unknown][] = [
      [0, 5],
      [1, null],
      [2, {}],
      [3, "12"],
      [3, []],
      [3, [12]],
      [3, ["12", "13"]],
      [3, ["1e5"]],
      [3, ["9223372036854775808"]],
      [3, ["-"]],
      [4, "hash"],
      [4, []],
      [4, [5]],
      [4, [null]],
    ];
    for (const [at, value] of replacements) {
      const changed = encode(body.with(at, value));
      assert.throws(() => read("messages", QUERIES.messages, changed), isInvalid, JSON.stringify(value));
    }
    assert.doesNotThrow(() => read("messages", QUERIES.messages, encode(body)));
    const strangeHash = encode(body.with(4, ["not a hash \u0000 é"]));
    assert.doesNotThrow(() => read("messages", QUERIES.messages, strangeHash));
  });

  it("fits only the list, order, direction and filter that it was made for", () => {
    const { read } = seeded();
    const { nextCursor } = read("messages", QUERIES.messages, null);
    const others: object[] = [
      { ...QUERIES.messages, direction: "asc" },
      { ...QUERIES.messages, sortBy: "confirmation" },
      { ...QUERIES.messages, filter: { senders: ["0x0"] } },
      { ...QUERIES.messages, filter: { startMicros: 5n } },
    ];
    for (const other of others) assert.throws(() => read("messages", other, nextCursor), isInvalid);
    assert.throws(() => read("hashes", QUERIES.hashes, nextCursor), isInvalid);
    // What is shown of each item is no part of the place in the list.
    assert.doesNotThrow(() => read("messages", { ...QUERIES.messages, contentFormat: "none" }, nextCursor));
    assert.doesNotThrow(() =>
      read("messages", { ...QUERIES.messages, filter: { senders: undefined } }, nextCursor),
    );
  });

  it("answers any text with a page or with CURSOR_INVALID", () => {
    const { read } = seeded();
    const texts = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.jsonValue().map(encode),
      fc
        .tuple(
          fc.constantFrom(...NAMES, "x"),
          fc.string(),
          fc.string(),
          fc.array(fc.string()),
          fc.array(fc.string()),
        )
        .map(encode),
    );
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), texts, (name, cursor) => {
        try {
          assert.ok(Array.isArray(read(name, QUERIES[name], cursor).items));
        } catch (error) {
          assert.ok(isInvalid(error), String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
