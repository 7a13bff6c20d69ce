import assert from "node:assert/strict";
import { test } from "node:test";
import { createPointReads, renderMessageView } from "@twentysix/storage";
import { envelope, evm } from "./support/signed.ts";
import { networkDefinition, StateHarness } from "./support/state-harness.ts";

test("a refusal names an integer above 2^53 exactly", async () => {
  await using node = await StateHarness.open(networkDefinition("local"));
  const account = evm("of big integers");
  const content = `{"address":"${account.address}","time":1700000000,"type":9007199254740993,"content":{}}`;
  const message = envelope(account, "POST", content, { time: 1_700_000_000 });
  const [result] = await node.submit(message.text);
  assert.equal(result?.status, "rejected");
  const view = createPointReads(node.store.session.connection).messageView(message.hash);
  assert.ok(view !== null);
  assert.match(String(renderMessageView(view)), /"details":.*"input":9007199254740993\b/);
});
