import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { type ListName, type ListQueries, type MessageFilter, UNLIMITED } from "../../src/index.ts";
import { createListReads } from "../../src/reader.ts";
import { RecordingConnection } from "./recording-connection.ts";
import { SeedDatabase } from "./seed.ts";

const folder = mkdtempSync(join(tmpdir(), "query-plans-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const path = join(folder, "database");
const seed = new SeedDatabase(path);
seed.transaction(() => {
  for (let at = 0; at < 3_000; at += 1) {
    seed.message({
      type: at % 4 === 0 ? "AGGREGATE" : "POST",
      sender: `0x${at % 3}`,
      channel: `c${at % 3}`,
      ...(at % 4 === 0
        ? {}
        : { members: `"type":"t${at % 3}","ref":"r${at % 3}","content":{"tags":["g${at % 3}"]}` }),
      ...(at % 2 === 0 ? { confirmation: { timeMicros: BigInt(at), height: at } } : {}),
    });
  }
});
seed.connection.close();

function plansOf<Name extends ListName>(name: Name, query: ListQueries[Name]) {
  const connection = new RecordingConnection(path, { readOnly: true });
  const reads = createListReads(connection);
  connection.statements.length = 0;
  const list = reads.lists[name];
  const { nextCursor } = list.cursor(query as never, { cursor: null, pageSize: 20 }, UNLIMITED);
  list.cursor(query as never, { cursor: nextCursor, pageSize: 20 }, UNLIMITED);
  list.page(query as never, { page: 1, pageSize: 20 }, UNLIMITED);
  list.page(query as never, { page: 30, pageSize: 20 }, UNLIMITED);
  const plans = connection.plans();
  connection.close();
  assert.ok(plans.length > 0);
  return plans;
}

/** Tables that grow with the messages. */
const SCAN =
  /^SCAN (m|i|x|s|a|p|messages|items|copies|posts|aggregates|message_tags|counters|c|t|l|o)\b(?! USING)/;

function assertNoScan(plans: ReturnType<typeof plansOf>, what: string): void {
  for (const { sql, steps } of plans) {
    for (const step of steps) {
      // Rows of a bounded subquery are walked as they come.
      const isBoundedPart =
        /^SCAN x\b/.test(step) && steps.some((other) => /^CO-ROUTINE x|^MATERIALIZE x/.test(other));
      assert.ok(isBoundedPart || !SCAN.test(step), `${what}: ${step}\n${sql}`);
    }
  }
}

function assertOrdered(plans: ReturnType<typeof plansOf>, what: string): void {
  for (const { sql, steps } of plans) {
    assert.ok(
      !steps.some((step) => step === "USE TEMP B-TREE FOR ORDER BY"),
      `${what} sorts everything\n${sql}`,
    );
  }
}

const MATRIX: { readonly [name: string]: MessageFilter } = {
  none: {},
  type: { types: ["POST"] },
  sender: { senders: ["0x1"] },
  senders: { senders: ["0x0", "0x1", "0x2"] },
  owner: { owners: ["0x1"] },
  channel: { channels: ["c1"] },
  label: { contentTypes: ["t1"] },
  key: { contentKeys: ["profile"] },
  ref: { refs: ["r1"] },
  tag: { tags: ["g1"] },
  tags: { tags: ["g1", "g2"] },
  chain: { chains: ["ETH"] },
  "sender and type": { senders: ["0x1"], types: ["POST"] },
  "channel and type": { channels: ["c1"], types: ["POST"] },
  "owner and type": { owners: ["0x1"], types: ["AGGREGATE"] },
  "sender and label": { senders: ["0x1"], contentTypes: ["t1"] },
  "tag and type": { tags: ["g1"], types: ["POST"] },
  window: { startMicros: 1_700_000_100_000_000n, endMicros: 1_700_002_900_000_000n },
  "window of a sender": { senders: ["0x1"], startMicros: 1_700_000_100_000_000n },
  blocks: { startBlock: 10, endBlock: 2_900 },
};

describe("query plans", () => {
  for (const [what, filter] of Object.entries(MATRIX)) {
    it(`neither a list nor its total scans or sorts the table: ${what}`, () => {
      const plans = plansOf("messages", { filter, sortBy: "time", direction: "desc" });
      assertNoScan(plans, what);
      if (what !== "blocks") assertOrdered(plans, what);
    });
  }

  it("neither scans for the other lists", () => {
    assertNoScan(plansOf("hashes", { direction: "asc", hashOnly: false }), "hashes");
    for (const query of [
      {},
      { owners: ["0x1"] },
      { types: ["t1"] },
      { tags: ["g1"] },
      { channels: ["c1"] },
    ]) {
      const plans = plansOf("posts", { ...query, version: 1, sortBy: "time", direction: "desc" });
      assertNoScan(plans, "posts");
      assertOrdered(plans, "posts");
    }
    for (const query of [{}, { owners: ["0x1"] }, { keys: ["profile"] }]) {
      assertNoScan(
        plansOf("aggregates", { ...query, sortBy: "last_modified", direction: "desc" }),
        "aggregates",
      );
    }
    assertNoScan(plansOf("accountFiles", { address: "0x1", direction: "desc", createdAs: "iso" }), "files");
  });

  it("goes over addresses in the order of their rows for statistics: by their names it takes fifteen times as long", () => {
    for (const query of [{}, { contains: "0x" }]) {
      for (const { sql, steps } of plansOf("addressStats", { ...query, sortBy: "total", direction: "desc" }))
        assert.ok(!steps.some((step) => /^SCAN a USING|FOR GROUP BY/.test(step)), sql);
    }
  });
});
