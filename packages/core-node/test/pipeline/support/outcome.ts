import type { Random } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import type { Signed } from "./signed.ts";
import { StateHarness, testFile } from "./state-harness.ts";

const FILES = [0, 1, 2, 3, 4].map(testFile);

/** How an order of messages is cut into batches: the size of the next one. */
export type Batching = (left: number) => number;

/** Everything that a user of a node can see of these messages after they came in this order. */
export async function outcomeOf(
  definition: NetworkDefinition,
  order: readonly Signed[],
  batch: Batching,
): Promise<Record<string, unknown>> {
  await using node = await StateHarness.open(definition);
  await node.hold(...FILES);
  for (let index = 0; index < order.length; ) {
    const size = Math.max(1, batch(order.length - index));
    await node.submit(...order.slice(index, index + size).map((message) => message.text));
    index += size;
  }
  await node.settle();
  const hashes = [...new Set(order.map((message) => message.hash))].sort();
  const copies = (hash: string): number => order.filter((message) => message.hash === hash).length;
  return {
    root: node.root(),
    ...node.dump(),
    views: hashes.map((hash) => [hash, viewOf(node, hash, copies(hash))]),
  };
}

/**
 * What the API says of one message. Of several copies that were all refused it shows the one that came first with
 * the code of the one that was refused last, as the protocol has it: that tells of their arrival, not of the state.
 */
function viewOf(node: StateHarness, hash: string, copies: number): unknown {
  const view = node.view(hash);
  return view?.status === "rejected" && copies > 1 ? { status: view.status } : view;
}

/** Batches of random sizes. */
export const randomBatches =
  (random: Random, most: number): Batching =>
  () =>
    1 + random.uniform(most);
