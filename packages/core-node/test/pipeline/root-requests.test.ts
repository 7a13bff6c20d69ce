import assert from "node:assert/strict";
import { test } from "node:test";
import { StateTree } from "@twentysix/storage";
import { RootRequests } from "../../src/pipeline/writer/root-requests.ts";
import { evm, post } from "./support/signed.ts";
import { networkDefinition, StateHarness } from "./support/state-harness.ts";

const account = evm("who asks for the root");

/** A node with so many posts whose trees have not followed yet. */
async function withPosts(count: number): Promise<StateHarness> {
  const node = StateHarness.inMemory(networkDefinition("local"));
  const texts = Array.from({ length: count }, (_, n) => post(account, 1_700_000_000 + n, `post ${n}`).text);
  await node.submit(...texts);
  return node;
}

for (const [when, step] of [
  ["between batches", (requests: RootRequests) => requests.afterBatch()],
  ["in idle time", (requests: RootRequests) => requests.advance()],
] as const) {
  test(`a question for the root is answered ${when}, once the trees have followed, and only once`, async () => {
    await using node = await withPosts(1_200);
    const answers: [number, string][] = [];
    const tree = new StateTree(node.store.session.connection, node.store.session.dirty);
    const requests = new RootRequests(tree, (id, { root }) => answers.push([id, root]));
    requests.add(1);
    requests.add(2);
    step(requests);
    assert.deepEqual(answers, [], "one slice is not enough");
    for (let slices = 0; slices < 100 && answers.length === 0; slices += 1) step(requests);
    const expected = new StateTree(node.store.session.connection, node.store.session.dirty).root().root;
    assert.deepEqual(answers, [
      [1, expected],
      [2, expected],
    ]);
    step(requests);
    assert.equal(answers.length, 2);
  });
}
