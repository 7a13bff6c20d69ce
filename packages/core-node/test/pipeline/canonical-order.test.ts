import assert from "node:assert/strict";
import { describe, test } from "node:test";

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
});
