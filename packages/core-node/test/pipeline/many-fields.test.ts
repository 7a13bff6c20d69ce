import assert from "node:assert/strict";
import { test } from "node:test";
import { aggregate, apart, evm, forget, type Signed } from "./support/signed.ts";
import { networkDefinition, StateHarness } from "./support/state-harness.ts";

/* A content with more members than one call of a function takes arguments; the lists of all other types have bounds. */

const MEMBERS = 150_000;
const TIME = 1_700_000_000;
const local = networkDefinition("local");
const account = evm("of long lists");
const names = Array.from({ length: MEMBERS }, (_, n) => `n${n}`);

/** Processes messages whose contents are stored beside them. */
async function submitApart(node: StateHarness, ...messages: readonly Signed[]): Promise<(string | null)[]> {
  for (const message of messages) {
    const { envelope, content } = apart(message);
    await node.upload(content);
    await node.submit(envelope.text);
    await node.settle();
  }
  return messages.map(({ hash }) => node.status(hash));
}

test("an aggregate of very many fields is processed, and forgotten", async () => {
  await using node = await StateHarness.open(local);
  const large = aggregate(account, TIME, "large", Object.fromEntries(names.map((name, n) => [name, n])));
  assert.deepEqual(await submitApart(node, large, forget(account, TIME + 1, [large.hash])), [
    "forgotten",
    "processed",
  ]);
});
