import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Chain, MESSAGE_TYPES } from "@twentysix/protocol";
import fc from "fast-check";
import {
  createPointReads,
  type MessageFacts,
  type MessageFilter,
  matchesFilter,
  PAYMENT_TYPES,
} from "../../src/index.ts";
import { createListReads } from "../../src/reader.ts";
import { SeedDatabase } from "./seed.ts";
import { hashesOf, walkList } from "./walk-list.ts";

const ADDRESSES = ["0xA", "0xB", "0xa"];
const LABELS = ["note", "amend", "profile", "vm-function"];
const FILES = ["ab".repeat(32), "cd".repeat(32)];
const REFS = ["my-ref", FILES[0] ?? "", "r".repeat(31), "r".repeat(30)];
const CHAINS: Chain[] = ["ETH", "SOL"];
const CHANNELS = ["TEST", "", "É"];
const TAGS = ["x", "y", "note"];
const BASE = 1_700_000_000_000_000n;

const word = (values: readonly string[]) => fc.constantFrom(...values);
const seedMessage = fc.record({
  type: fc.constantFrom(...MESSAGE_TYPES),
  sender: word(ADDRESSES),
  owner: word(ADDRESSES),
  chain: fc.constantFrom(...CHAINS),
  channel: fc.option(word(CHANNELS)),
  label: word(LABELS),
  ref: fc.option(word(REFS)),
  file: word(FILES),
  tags: fc.option(fc.array(word(TAGS), { maxLength: 3 })),
  payment: fc.option(fc.constantFrom(...PAYMENT_TYPES)),
  offset: fc.integer({ min: 0, max: 6 }),
  height: fc.option(fc.integer({ min: 1, max: 5 })),
  status: fc.constantFrom("processed" as const, "processed" as const, "removing" as const),
});
type Drawn = typeof seedMessage extends fc.Arbitrary<infer T> ? T : never;

/** Content members that put label, ref, tags and payment where each type has them. */
function membersOf(drawn: Drawn): string {
  const tags = drawn.tags === null ? {} : { tags: drawn.tags };
  const common = { ...(drawn.payment === null ? {} : { payment: { type: drawn.payment } }) };
  const own: Record<Drawn["type"], object> = {
    POST: { type: drawn.label, ref: drawn.ref, content: tags },
    AGGREGATE: { key: drawn.label, content: tags },
    STORE: { item_type: "storage", item_hash: drawn.file, ref: drawn.ref, ...tags },
    PROGRAM: { type: "vm-function", metadata: tags },
    INSTANCE: { metadata: tags },
    "V-PROGRAM": { metadata: tags },
    FORGET: { hashes: [] },
  };
  return JSON.stringify({ ...own[drawn.type], ...common }).slice(1, -1);
}

const some = <T>(values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 });
const moment = fc.integer({ min: -1, max: 8 }).map((at) => BASE + BigInt(at));
const filters = (itemHashes: readonly string[]) =>
  fc.record(
    {
      types: some(MESSAGE_TYPES),
      statuses: some(["processed", "removing", "rejected"] as const),
      senders: some([...ADDRESSES, "0xNobody"]),
      owners: some(ADDRESSES),
      refs: some(REFS),
      contentHashes: some(FILES),
      contentKeys: some(LABELS),
      contentTypes: some(LABELS),
      chains: some(CHAINS),
      channels: some(CHANNELS),
      tags: some([...TAGS, "unknown"]),
      itemHashes: some([...itemHashes, "00".repeat(32)]),
      paymentTypes: some(PAYMENT_TYPES),
      startMicros: moment,
      endMicros: moment,
      startBlock: fc.integer({ min: 0, max: 6 }),
      endBlock: fc.integer({ min: 0, max: 6 }),
      confirmed: fc.boolean(),
    },
    { requiredKeys: [] },
  );

/** One to three conditions: more would leave nothing to find. */
const fewConditions = (itemHashes: readonly string[]) =>
  fc
    .tuple(filters(itemHashes), fc.shuffledSubarray([...Array(18).keys()], { minLength: 1, maxLength: 3 }))
    .map(([filter, kept]) => {
      const entries = Object.entries(filter).filter((_, at) => kept.includes(at));
      return Object.fromEntries(entries) as MessageFilter;
    });

describe("message filter", () => {
  it("selects the same messages as SQL and as predicate, in both orders", () => {
    let matches = 0;
    fc.assert(
      fc.property(
        fc.array(seedMessage, { minLength: 10, maxLength: 25 }).chain((drawn) => {
          const seed = new SeedDatabase();
          const stored = seed.transaction(() =>
            drawn.map((message) =>
              seed.message({
                ...message,
                members: membersOf(message),
                timeMicros: BASE + BigInt(message.offset),
                ...(message.height === null
                  ? {}
                  : { confirmation: { timeMicros: BASE + BigInt(message.height), height: message.height } }),
              }),
            ),
          );
          const hashes = stored.map(({ itemHash }) => itemHash);
          return fc.record({
            seed: fc.constant(seed),
            hashes: fc.constant(hashes),
            filters: fc.array(fewConditions(hashes), { minLength: 12, maxLength: 12 }),
          });
        }),
        ({ seed, hashes, filters: asked }) => {
          const lists = createListReads(seed.connection);
          const points = createPointReads(seed.connection);
          const facts = hashes.map((itemHash) => points.factsOf(itemHash)).filter((fact) => fact !== null);
          assert.equal(facts.length, hashes.length);
          for (const filter of asked) {
            const expected = facts.filter((fact: MessageFacts) => matchesFilter(filter, fact));
            const wanted = expected.map(({ itemHash }) => itemHash).sort();
            matches += wanted.length;
            for (const sortBy of ["time", "confirmation"] as const) {
              const found = walkList(lists, "messages", { filter, sortBy, direction: "asc" }, 3);
              assert.deepEqual(hashesOf(found).sort(), wanted);
            }
            const page = lists.lists.messages.page(
              { filter, sortBy: "time", direction: "desc" },
              { page: 1, pageSize: 4 },
              { checkpoint: () => {} },
            );
            assert.equal(page.total, wanted.length);
          }
          seed.connection.close();
        },
      ),
      { numRuns: 40 },
    );
    assert.ok(matches > 500, `the filters must find something, and found ${matches}`);
  });
});
