import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "@twentysix/protocol";
import { loadNetwork } from "../../src/index.ts";
import { eventually } from "../support/eventually.ts";
import { localAccount } from "../support/funds.ts";
import { evmAccount, sdkClient } from "../support/sdk-client.ts";
import { startTestNode } from "../support/test-node.ts";

const { balances: authority } = loadNetwork("local").authorities;
const [alice, bob, carol] = ["alice", "bob", "carol"].map(
  (name) => evmAccount(`${name} of balances`).address,
);

describe("a full publication of balances", { timeout: 60_000 }, () => {
  test("that leaves out who has some is told of, and one that says nothing of others is not", async (t) => {
    const node = await startTestNode();
    t.after(() => node.remove());
    const publish = async (height: number, balances: JsonObject, place: JsonObject = {}): Promise<void> => {
      const content = { chain: "ETH", main_height: height, balances, ...place };
      const account = localAccount(authority.addresses[0]);
      await sdkClient(node).createPost({ account, type: authority.postType, content, sync: true });
    };
    const told = async (): Promise<string> => {
      const metrics = await (await fetch(`${node.apiUrl}/metrics`)).text();
      return /^twentysix_balances_omitted_addresses\{chain="ETH"\} (\d+)$/m.exec(metrics)?.[1] ?? "nothing";
    };
    await publish(10, { [alice ?? ""]: 5, [bob ?? ""]: 5 }, { part: 0, parts: 2 });
    await publish(10, { [carol ?? ""]: 5 }, { part: 1, parts: 2 });
    await eventually(async () => (await told()) === "0");
    await publish(11, { [bob ?? ""]: 6 }, { part: 0, parts: 2 });
    await publish(12, { [bob ?? ""]: 7 });
    await publish(13, { [bob ?? ""]: 7 }, { part: 0, parts: 2 });
    await publish(13, { nobody: 0 }, { part: 1, parts: 2 });
    await eventually(async () => (await told()) === "2");
    const kept = await sdkClient(node).getBalance({ address: alice ?? "" });
    assert.equal(kept.tokens, 5, "it is told of and no more");
    await publish(14, { [alice ?? ""]: 0, [bob ?? ""]: 7, [carol ?? ""]: 1 }, { part: 0, parts: 1 });
    await eventually(async () => (await told()) === "0");
    await publish(15, { [bob ?? ""]: 7 }, { part: "first", parts: null });
    assert.equal(
      (await sdkClient(node).getBalance({ address: bob ?? "" })).tokens,
      7,
      "other words are no mistake",
    );
    assert.equal(await told(), "0");
  });
});
