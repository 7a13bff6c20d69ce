import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evm, forget, post, type Signed, signed, withEnvelope } from "./support/signed.ts";
import { networkDefinition, StateHarness } from "./support/state-harness.ts";
import { tell, told } from "./support/told.ts";

/* Copies that can never be valid, sent again and again: what a node keeps of them has a bound. */

const TIME = 1_700_000_000;
const author = evm("author of what others forge");
const note = post(author, TIME, "the genuine one");

/** The n-th copy of the message that the author did not sign. */
const forged = (n: number): Signed => {
  const { signature } = JSON.parse(note.text) as { signature: string };
  return withEnvelope(note, {
    signature: `${signature.slice(0, 4)}${n.toString(16).padStart(16, "0")}${signature.slice(20)}`,
  });
};
const malformed = withEnvelope(note, { chain: "NO SUCH CHAIN" });

const kindsOf = (node: StateHarness, { hash }: Signed): string[] =>
  node.reads.eventsOf(hash).map(({ kind }) => kind);

for (const network of ["mainnet", "local"] as const) {
  describe(`on ${network} a refused copy`, () => {
    test("that is sent again and again is told of once in the log", async () => {
      await using node = await StateHarness.open(networkDefinition(network));
      for (let round = 0; round < 20; round += 1) {
        const results = await node.submit(forged(0).text, malformed.text, forged(0).text);
        assert.deepEqual(new Set(results.map((result) => result.status)), new Set(["rejected"]));
      }
      assert.deepEqual(kindsOf(node, note), ["rejected", "rejected"]);
      await tell(node, note);
      await node.submit(forged(0).text, malformed.text);
      assert.deepEqual(kindsOf(node, note), ["rejected", "rejected", "processed"]);
    });

    test("leaves a bounded log behind, however many different ones there are", async () => {
      await using node = await StateHarness.open(networkDefinition(network));
      const count = 200;
      for (let n = 0; n < count; n += 1) {
        await node.submit(forged(n).text);
        assert.equal(told(node, note).slice(0, 8), "rejected");
      }
      assert.equal(kindsOf(node, note).length, 32);
      // Shown is the one that came first, with the reason of the newest.
      await node.submit(malformed.text);
      assert.deepEqual(node.view(note.hash)?.message, JSON.parse(forged(0).text));
      assert.equal(node.view(note.hash)?.error_code, 0);
      assert.equal(node.textsWith(note.hash).filter((place) => place === "refusals.raw").length, 4);
      assert.deepEqual(await tell(node, note), ["processed"]);
    });

    test("of a processed message changes neither its status nor its log without end", async () => {
      await using node = await StateHarness.open(networkDefinition(network));
      await tell(node, note);
      const before = node.view(note.hash);
      const root = node.root();
      for (let n = 0; n < 100; n += 1) await node.submit(forged(n % 50).text);
      assert.deepEqual(node.view(note.hash), before);
      assert.equal(node.root(), root);
      assert.equal(kindsOf(node, note).length, 33);
    });

    test("of a forgotten message leaves nothing at all", async () => {
      await using node = await StateHarness.open(networkDefinition(network));
      await tell(node, note, forget(author, TIME + 1, [note.hash]));
      const before = kindsOf(node, note);
      await node.submit(forged(0).text, malformed.text);
      assert.equal(told(node, note), "forgotten");
      assert.deepEqual(kindsOf(node, note), before);
    });

    test("that is correctly signed, by one without the right, is told of once as well", async () => {
      await using node = await StateHarness.open(networkDefinition(network));
      const stranger = evm("stranger without a right");
      const theirs = signed(stranger, "POST", TIME, { type: "note", content: {} }, { owner: author.address });
      for (let round = 0; round < 20; round += 1) await node.submit(theirs.text);
      assert.equal(told(node, theirs), "rejected 2");
      assert.equal(kindsOf(node, theirs).filter((kind) => kind === "rejected").length, 1);
    });
  });
}
