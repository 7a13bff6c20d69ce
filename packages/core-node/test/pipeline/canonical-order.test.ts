import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSeededRandom, shuffled } from "@twentysix/platform";
import fc from "fast-check";
import { type Move, messagesOf, moves } from "./support/adversarial.ts";
import { type Arrival, outcomeOf, randomBatches } from "./support/outcome.ts";
import { permutations } from "./support/permutations.ts";
import { scenarios } from "./support/scenarios.ts";
import { apart, evm, post, store } from "./support/signed.ts";
import { networkDefinition, testFile } from "./support/state-harness.ts";

const local = networkDefinition("local");

/** Every scenario several times over, each with accounts of its own, and random sets of accounts that share everything. */
function mixedCorpus(): Arrival[] {
  const count = scenarios(0).length;
  const stories = [1, 2, 3, 4].flatMap((round) =>
    Array.from(
      { length: count },
      (_, index) => scenarios(round * 1_000 + index)[index]?.messages ?? [],
    ).flat(),
  );
  const sets: Move[][] = fc.sample(moves(8, 12), { numRuns: 16, seed: 26 });
  const entangled = sets.flatMap((set, salt) => messagesOf(set, salt));
  return [...stories, ...entangled, ...storedContents()];
}

/** Messages whose contents come by themselves, with the contents. */
function storedContents(): Arrival[] {
  return [1, 2, 3, 4, 5].flatMap((n) => {
    const author = evm(`author ${n}`);
    const time = 1_700_000_000 + n;
    const message =
      n % 2 === 0 ? store(author, time, testFile(n % 5).hash) : post(author, time, `stored ${n}`);
    const { envelope, content } = apart(message);
    return [envelope, { content }];
  });
}

describe("under canonical order a set of messages has one state", () => {
  for (const { name, messages } of scenarios(0)) {
    test(`in every order: ${name}`, async () => {
      const expected = await outcomeOf(local, messages, () => 1);
      for (const order of permutations(messages)) {
        for (const batch of [1, order.length]) {
          const found = await outcomeOf(local, order, () => batch);
          const told = order.map((message) => messages.indexOf(message)).join(", ");
          assert.deepEqual(found, expected, `order ${told}, batches of ${batch}`);
        }
      }
    });
  }

  test("random small sets in random orders", async () => {
    const property = fc.asyncProperty(moves(2, 8), fc.nat(), async (list, seed) => {
      const messages = messagesOf(list);
      const random = createSeededRandom(seed);
      const expected = await outcomeOf(local, messages, () => 1);
      for (let round = 0; round < 3; round += 1) {
        const order = shuffled(random, messages);
        const found = await outcomeOf(local, order, randomBatches(random, messages.length));
        const told = order.map((message) => messages.indexOf(message)).join(", ");
        assert.deepEqual(found, expected, `order ${told}`);
      }
    });
    await fc.assert(property, { numRuns: 150, seed: 2600 });
  });

  test("100 random orders of a mixed corpus of more than 500 messages", async () => {
    const corpus = mixedCorpus();
    const messages = corpus.filter((arrival) => "hash" in arrival);
    assert.ok(messages.length >= 500, `${messages.length} messages`);
    const random = createSeededRandom(26);
    const expected = await outcomeOf(local, corpus, () => 50);
    for (let round = 0; round < 100; round += 1) {
      const found = await outcomeOf(local, shuffled(random, corpus), randomBatches(random, 80));
      assert.equal(found.root, expected.root, `round ${round}`);
      assert.deepEqual(found, expected, `round ${round}`);
    }
  });
});
