import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { createSeededRandom, shuffled } from "@twentysix/platform";
import { scenarios } from "./support/scenarios.ts";
import type { Signed } from "./support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "./support/state-harness.ts";

const FILES = [0, 1, 2, 3, 4].map(testFile);
const local = networkDefinition("local");

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length <= 1) yield [...items];
  for (let index = 0; index < items.length; index += 1) {
    const rest = [...items.slice(0, index), ...items.slice(index + 1)];
    for (const tail of permutations(rest)) yield [items[index] as T, ...tail];
  }
}

/** Everything that a user of the node can see of these messages. */
async function outcome(
  order: readonly Signed[],
  batch: (left: number) => number,
): Promise<Record<string, unknown>> {
  await using node = await StateHarness.open(local);
  await node.hold(...FILES);
  for (let index = 0; index < order.length; ) {
    const size = Math.max(1, batch(order.length - index));
    await node.submit(...order.slice(index, index + size).map((message) => message.text));
    index += size;
  }
  await node.settle();
  const hashes = [...new Set(order.map((message) => message.hash))].sort();
  return {
    root: node.root(),
    ...node.dump(),
    views: hashes.map((hash) => [hash, node.view(hash)]),
  };
}

/**
 * Which copy's unsigned fields are shown of a forgotten message can still depend on the order, when copies came
 * while a FORGET hid it that was taken back later.
 */
function withoutForgottenEnvelopes(found: Record<string, unknown>): Record<string, unknown> {
  const views = (found.views as [string, Record<string, unknown> | null][]).map(([hash, view]) => {
    if (view?.status !== "forgotten") return [hash, view];
    const { message: _envelope, ...rest } = view;
    return [hash, rest];
  });
  return { ...found, views };
}

describe("under canonical order a set of messages has one state", () => {
  for (const { name, messages } of scenarios(0)) {
    test(`in every order: ${name}`, async () => {
      const expected = await outcome(messages, () => 1);
      for (const order of permutations(messages)) {
        for (const batch of [1, order.length]) {
          const found = await outcome(order, () => batch);
          const told = order.map((message) => messages.indexOf(message)).join(", ");
          assert.deepEqual(found, expected, `order ${told}, batches of ${batch}`);
        }
      }
    });
  }

  test("100 random orders of a mixed corpus of more than 500 messages", async () => {
    // Each scenario has accounts of its own: what several of them do to one another is not settled yet.
    const count = scenarios(0).length;
    const corpus = [1, 2, 3, 4, 5, 6].flatMap((round) =>
      Array.from(
        { length: count },
        (_, index) => scenarios(round * 1_000 + index)[index]?.messages ?? [],
      ).flat(),
    );
    assert.ok(corpus.length >= 500, `${corpus.length} messages`);
    const random = createSeededRandom(26);
    const expected = withoutForgottenEnvelopes(await outcome(corpus, () => 50));
    for (let round = 0; round < 100; round += 1) {
      const order = shuffled(random, corpus);
      const found = withoutForgottenEnvelopes(await outcome(order, () => 1 + random.uniform(80)));
      assert.equal(found.root, expected.root, `round ${round}`);
      assert.deepEqual(found, expected, `round ${round}`);
    }
  });
});
