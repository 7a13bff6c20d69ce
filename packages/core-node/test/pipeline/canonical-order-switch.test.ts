import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { amend, apart, envelope, evm, post } from "./support/signed.ts";
import { networkDefinition, StateHarness } from "./support/state-harness.ts";

const alice = evm("alice");

/** What the description of the switch tells of its two positions. */
for (const canonicalOrder of [true, false]) {
  describe(`canonicalOrder ${canonicalOrder ? "on" : "off"}`, () => {
    const open = (): StateHarness => StateHarness.inMemory(networkDefinition("mainnet", { canonicalOrder }));

    test("of two amends of equal time the greater item hash is shown, whichever came first", async () => {
      const original = post(alice, 1_700_000_000, "original");
      const amends = ["one", "two"].map((body) => amend(alice, 1_700_000_001, original.hash, body));
      const greater = amends.map(({ hash }) => hash).toSorted()[1];
      for (const order of [amends, amends.toReversed()]) {
        await using node = open();
        for (const { text } of [original, ...order]) await node.submit(text);
        const [shown] = node.answers().postList ?? [];
        assert.equal((JSON.parse(shown ?? "{}") as { item_hash: string }).item_hash, greater);
      }
    });

    test("a content that is not inline and says neither owner nor time", async () => {
      await using node = open();
      const bare = apart(envelope(alice, "POST", '{"type":"note","content":1}', { time: 1_700_000_000 }));
      await node.upload(bare.content);
      const [result] = await node.submit(bare.envelope.text);
      const expected = canonicalOrder ? ["rejected", 0] : ["processed", undefined];
      assert.deepEqual([result?.status, result?.errorCode], expected);
    });
  });
}
