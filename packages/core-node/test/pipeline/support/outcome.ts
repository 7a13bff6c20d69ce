import type { Random } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import type { Signed } from "./signed.ts";
import { StateHarness, testFile } from "./state-harness.ts";

const FILES = [0, 1, 2, 3, 4].map(testFile);

/** How an order of messages is cut into batches: the size of the next one. */
export type Batching = (left: number) => number;

/** What comes to a node: a message, or the content of one. */
export type Arrival = Signed | { readonly content: string };

/** Everything that a user of a node can see after this came in this order. */
export async function outcomeOf(
  definition: NetworkDefinition,
  order: readonly Arrival[],
  batch: Batching,
): Promise<Record<string, unknown>> {
  await using node = StateHarness.inMemory(definition);
  await node.hold(...FILES);
  let waiting: string[] = [];
  let size = batch(order.length);
  for (const arrival of order) {
    if ("content" in arrival) await node.upload(arrival.content);
    else waiting.push(arrival.text);
    if (waiting.length < size) continue;
    await node.submit(...waiting);
    waiting = [];
    size = batch(order.length);
  }
  if (waiting.length > 0) await node.submit(...waiting);
  await node.settle();
  const messages = order.flatMap((arrival) => ("content" in arrival ? [] : [arrival]));
  const hashes = [...new Set(messages.map((message) => message.hash))].sort();
  const copies = (hash: string): number => messages.filter((message) => message.hash === hash).length;
  return {
    root: node.root(),
    ...node.dump(),
    ...node.answers(),
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
