import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createClient } from "../src/index.ts";
import { startHttpDouble } from "./support/http-double.ts";

const COST = {
  item_hash: "aa",
  owner: "0xA",
  payment_type: "credit",
  consumed_credits: 5,
  cost_hold: "0.000000000000000000",
  cost_stream: "0.000000000000000000",
  cost_credit: "0.500000000000000000",
  detail: null,
};
const PAGE = { pagination_page: 1, pagination_total: 1, pagination_per_page: 100 };

describe("what an address has", () => {
  test("is read to the last credit", async () => {
    await using node = await startHttpDouble(() => ({
      body: `{"address":"0xA","balance":3000.5,"details":{},"locked_amount":1.5,"credit_balance":9223372036854775807,
        "credit_balance_details":[{"expiration_date":null,"amount":9223372036854775800},
          {"expiration_date":"2027-01-01T00:00:00Z","amount":7}]}`,
    }));
    const balance = await createClient(node).getBalance({ address: "0xA" });
    assert.deepEqual(balance, {
      tokens: 3000.5,
      lockedTokens: 1.5,
      credits: 2n ** 63n - 1n,
      creditParts: [
        { amount: 9_223_372_036_854_775_800n, expirationDate: null },
        { amount: 7n, expirationDate: "2027-01-01T00:00:00Z" },
      ],
    });
    assert.equal(node.requests[0]?.path, "/api/v0/addresses/0xA/balance");
    assert.equal(node.requests[0]?.query.get("include_credit_details"), "true");
  });

  test("that is no whole number of credits is a bad answer", async () => {
    await using node = await startHttpDouble(() => ({
      body: { balance: 0, locked_amount: 0, credit_balance: 1.5, credit_balance_details: [] },
    }));
    await assert.rejects(createClient(node).getBalance({ address: "0xA" }), { code: "SDK_BAD_ANSWER" });
  });
});

describe("costs", () => {
  test("are asked for without lines, or with them for one owner", async () => {
    const line = { type: "STORAGE", name: "STORAGE", cost_credit: "0.5", size_mib: 12.5 };
    await using node = await startHttpDouble(({ query }) => ({
      body: { resources: [query.get("address") === null ? COST : { ...COST, detail: [line] }], ...PAGE },
    }));
    const client = createClient(node);
    const all = await client.listCosts({ page: 2, pageSize: 1_000 });
    assert.equal(all.items[0]?.lines, null);
    assert.equal(node.requests[0]?.query.toString(), "include_details=1&page=2&pagination=1000");
    const own = await client.listCosts({ owner: "0xA", withLines: true, paymentType: "credit" });
    assert.deepEqual(own.items, [
      {
        itemHash: "aa",
        owner: "0xA",
        paymentType: "credit",
        consumedCredits: 5n,
        costHold: COST.cost_hold,
        costStream: COST.cost_stream,
        costCredit: COST.cost_credit,
        pricingRevision: null,
        startedAt: null,
        lines: [{ type: "STORAGE", name: "STORAGE", sizeMib: 12.5 }],
      },
    ]);
    assert.equal(
      node.requests[1]?.query.toString(),
      "address=0xA&payment_type=credit&include_details=2&include_size=true",
    );
  });

  test("of what is gone are walked to their end, with what only our nodes tell", async () => {
    const line = { type: "STORAGE", name: "STORAGE", size_mib: 12.5 };
    const ended = {
      ...COST,
      detail: [line],
      pricing_revision: "list",
      started_at: "2026-01-01T00:00:00.000001Z",
      ended_at: "2026-01-01T00:10:00.000000Z",
    };
    await using node = await startHttpDouble(({ query }) => ({
      body: {
        resources: [ended],
        pagination_per_page: 200,
        next_cursor: query.get("cursor") === "" ? "next" : null,
      },
    }));
    const costs = [];
    for await (const cost of createClient(node).iterateEndedCosts({ sinceSeconds: 5, owner: "0xA" }))
      costs.push(cost);
    assert.equal(costs.length, 2);
    assert.deepEqual(
      [costs[0]?.pricingRevision, costs[0]?.startedAt, costs[0]?.endedAt, costs[0]?.lines[0]?.sizeMib],
      ["list", ended.started_at, ended.ended_at, 12.5],
    );
    assert.equal(node.requests[0]?.path, "/api/v1/costs/ended");
    assert.equal(node.requests[1]?.query.toString(), "since=5&address=0xA&cursor=next&pagination=200");
  });

  test("without an amount are a bad answer", async () => {
    await using node = await startHttpDouble(() => ({
      body: { resources: [{ ...COST, cost_credit: 0.5 }], ...PAGE },
    }));
    await assert.rejects(createClient(node).listCosts({}), { code: "SDK_BAD_ANSWER" });
  });
});
