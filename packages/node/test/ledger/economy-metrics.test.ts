import assert from "node:assert/strict";
import { after, test } from "node:test";
import { priceLists } from "@twentysix/state";
import { loadNetwork } from "../../src/network.ts";
import { localAccount } from "../support/funds.ts";
import { putRaw } from "../support/raw-messages.ts";
import { startTestNode } from "../support/test-node.ts";

const definition = loadNetwork("local");

test("metrics name the price list in force", async () => {
  const node = await startTestNode();
  after(() => node.remove());
  const listName = async (): Promise<string | undefined> => {
    const metrics = await (await fetch(`${node.apiUrl}/metrics`)).text();
    return /^twentysix_price_list_info\{price_list="([0-9a-f]{64})"\} 1$/m.exec(metrics)?.[1];
  };
  assert.equal(await listName(), priceLists(definition.pricing, definition.settings).hash);
  const pricing = { ...definition.pricing, storage: { price: { storage: { holding: "0.25" } } } };
  const { address, pricingKey } = definition.authorities.prices;
  await putRaw(node, {
    type: "AGGREGATE",
    account: localAccount(address),
    members: `"key":"${pricingKey}","content":${JSON.stringify(pricing)}`,
    time: String(Date.now() / 1_000),
  });
  assert.notEqual(await listName(), priceLists(definition.pricing, definition.settings).hash);
});
