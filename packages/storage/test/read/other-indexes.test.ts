import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type MessageFilter, type MessagesQuery, UNLIMITED } from "../../src/index.ts";
import { createListReads } from "../../src/reader.ts";
import { SeedDatabase } from "./seed.ts";
import { walkList } from "./walk-list.ts";

/** Indexes that a later migration may bring; the lists find out about them by themselves. */
const OTHER_INDEXES = `
  DROP INDEX messages_owner;
  CREATE INDEX messages_owner_type ON messages (owner_id, type, time_us);
  DROP INDEX messages_channel;
  CREATE INDEX messages_channel_type ON messages (channel_id, type, time_us) WHERE channel_id IS NOT NULL;
  DROP INDEX messages_chain;
  CREATE INDEX messages_sender ON messages (sender_id, time_us);
  CREATE INDEX messages_sender_label ON messages (sender_id, label_id, time_us) WHERE label_id IS NOT NULL;
  CREATE INDEX messages_unconfirmed ON messages (time_us) WHERE confirmed_us = 9223372036854775807;
  DROP INDEX items_reception;
  CREATE INDEX items_status ON items (status, reception_us);
  CREATE INDEX items_reception ON items (reception_us);
`;

const FILTERS: MessageFilter[] = [
  {},
  { owners: ["0x1"] },
  { owners: ["0x1", "0x2"], types: ["POST"] },
  { channels: ["c1"] },
  { channels: ["c0", "c1"], types: ["AGGREGATE", "POST"] },
  { chains: ["SOL"] },
  { senders: ["0x1"], contentTypes: ["t1"] },
  { tags: ["x", "y"], chains: ["ETH"] },
  { startBlock: 600, endBlock: 19_000 },
];

describe("lists with other indexes", () => {
  it("give the same items by time and by confirmation", () => {
    const seed = new SeedDatabase();
    seed.transaction(() => {
      for (let at = 0; at < 21_000; at += 1) {
        const isAggregate = at % 5 === 0;
        seed.message({
          type: isAggregate ? "AGGREGATE" : "POST",
          sender: `0x${at % 3}`,
          owner: `0x${at % 4}`,
          channel: at % 7 === 0 ? null : `c${at % 2}`,
          chain: at % 50 === 0 ? "SOL" : "ETH",
          timeMicros: 1_700_000_000_000_000n + BigInt(Math.floor(at / 3)),
          ...(isAggregate
            ? {}
            : { members: `"type":"t${at % 3}","content":{"tags":["x","${at % 2 === 0 ? "y" : "z"}"]}` }),
          ...(at % 3 === 0 ? {} : { confirmation: { timeMicros: BigInt(at % 1_000), height: at } }),
        });
      }
    });
    const answers = () => {
      const reads = createListReads(seed.connection);
      return FILTERS.flatMap((filter) =>
        (["time", "confirmation"] as const).map((sortBy) => {
          const query: MessagesQuery = { filter, sortBy, direction: "desc", contentFormat: "none" };
          const pages = [1, 60, 400].map((page) =>
            reads.lists.messages.page(query, { page, pageSize: 5 }, UNLIMITED),
          );
          const start = reads.lists.messages.cursor(query, { cursor: null, pageSize: 3 }, UNLIMITED);
          const next = reads.lists.messages.cursor(
            query,
            { cursor: start.nextCursor, pageSize: 30 },
            UNLIMITED,
          );
          return { pages: pages.map(({ items }) => items), start: start.items, next: next.items };
        }),
      );
    };
    const before = answers();
    const walked = walkList(
      createListReads(seed.connection),
      "messages",
      { filter: { tags: ["x", "y"] }, sortBy: "time", direction: "desc", contentFormat: "none" },
      2_000,
    );
    const deep = createListReads(seed.connection).lists.messages.page(
      { filter: { tags: ["x", "y"] }, sortBy: "time", direction: "desc", contentFormat: "none" },
      { page: 800, pageSize: 20 },
      UNLIMITED,
    );
    assert.deepEqual(deep.items, walked.slice(799 * 20, 800 * 20));
    seed.connection.exec(OTHER_INDEXES);
    assert.deepEqual(answers(), before);
  });
});
