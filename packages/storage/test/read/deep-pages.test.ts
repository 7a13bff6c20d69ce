import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MESSAGE_TYPES } from "@twentysix/protocol";
import type { MessageFilter, MessagesQuery } from "../../src/index.ts";
import { createListReads } from "../../src/reader.ts";
import { SeedDatabase } from "./seed.ts";
import { hashesOf, walkList } from "./walk-list.ts";

const COUNT = 3_600;
const BASE = 1_700_000_000_000_000n;

/** Many messages, several to a moment, some with both tags, a third of them confirmed. */
function seeded(): SeedDatabase {
  const seed = new SeedDatabase();
  seed.transaction(() => {
    for (let n = 0; n < COUNT; n += 1) {
      const tags = [["x"], ["x", "y"], ["y"], []][n % 4] ?? [];
      const confirmed = { timeMicros: BASE + BigInt(n % 50), height: 1 + (n % 50) };
      seed.message({
        type: MESSAGE_TYPES[n % 3] ?? "POST",
        sender: `0x${n % 2}`,
        chain: n % 5 === 0 ? "SOL" : "ETH",
        channel: n % 7 < 4 ? "A" : "B",
        members: JSON.stringify({ type: `t${n % 3}`, key: `t${n % 3}`, content: { tags } }).slice(1, -1),
        timeMicros: BASE + BigInt(Math.floor(n / 4)),
        ...(n % 3 === 0 ? { confirmation: confirmed } : {}),
      });
    }
  });
  return seed;
}

const FILTERS: readonly MessageFilter[] = [
  {},
  { chains: ["ETH"] },
  { tags: ["x"] },
  { types: [MESSAGE_TYPES[0] ?? "POST"] },
  { senders: ["0x1"] },
  { channels: ["A"], chains: ["ETH"] },
  { senders: ["0x1"], chains: ["ETH", "SOL"] },
  { tags: ["x", "y"], chains: ["ETH"] },
  { tags: ["y"], channels: ["A", "B"] },
  { chains: ["ETH"], confirmed: false },
  { channels: ["A"], chains: ["ETH"], startMicros: BASE + 100n, endMicros: BASE + 850n },
];

describe("pages far from the start of a list", () => {
  const lists = createListReads(seeded().connection);
  for (const filter of FILTERS) {
    for (const sortBy of ["time", "confirmation"] as const) {
      for (const direction of ["asc", "desc"] as const) {
        const query: MessagesQuery = { filter, sortBy, direction };
        it(`hold what a walk finds there: ${Object.keys(filter)}, ${sortBy} ${direction}`, () => {
          const all = hashesOf(walkList(lists, "messages", query, 500));
          assert.ok(all.length > 550, `${all.length} messages match`);
          for (const pageSize of [7, 150]) {
            const pages = Math.ceil(all.length / pageSize);
            for (const page of [2, Math.floor(pages / 2), pages, pages + 1]) {
              const { items } = lists.lists.messages.page(
                query,
                { page, pageSize },
                { checkpoint: () => {} },
              );
              const start = (page - 1) * pageSize;
              assert.deepEqual(
                hashesOf(items),
                all.slice(start, start + pageSize),
                `page ${page} of ${pageSize}`,
              );
            }
          }
        });
      }
    }
  }
});
