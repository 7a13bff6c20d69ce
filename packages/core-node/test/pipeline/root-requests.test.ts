import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualTime, type VirtualTime } from "@twentysix/platform";
import { StateTree } from "@twentysix/storage/writer";
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

function rootRequests(
  tree: StateTree,
  answer: (requestId: number, root: string) => void,
  { clock, timers }: Pick<VirtualTime, "clock" | "timers"> = createVirtualTime(),
  onDue: () => void = () => undefined,
): RootRequests {
  return new RootRequests({ tree, answer: (id, { root }) => answer(id, root), clock, timers, onDue });
}

for (const [when, step] of [
  ["between batches", (requests: RootRequests) => requests.afterBatch()],
  ["in idle time", (requests: RootRequests) => requests.advance()],
] as const) {
  test(`a question for the root is answered ${when}, once the trees have followed, and only once`, async () => {
    await using node = await withPosts(1_200);
    const answers: [number, string][] = [];
    const tree = new StateTree(node.store.session.connection, node.store.session.dirty);
    const requests = rootRequests(tree, (id, root) => answers.push([id, root]));
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

test("in idle time the trees follow what was committed together, and at once when somebody asks", async () => {
  await using node = await withPosts(3);
  const time = createVirtualTime();
  let wakes = 0;
  const answers: number[] = [];
  const tree = new StateTree(node.store.session.connection, node.store.session.dirty);
  const onDue = (): void => {
    wakes += 1;
  };
  const requests = rootRequests(tree, (id) => answers.push(id), time, onDue);
  assert.equal(requests.advance(), true);
  assert.equal(tree.lag, 0);
  for (const n of [1, 2, 3]) {
    await node.submit(post(account, 1_800_000_000 + n, `later ${n}`).text);
    assert.equal(requests.advance(), false, "they rest");
  }
  assert.ok(tree.lag >= 3);
  await time.advance(500);
  assert.equal(wakes, 1);
  assert.equal(requests.advance(), true);
  assert.equal(tree.lag, 0);
  await node.submit(post(account, 1_900_000_000, "one more").text);
  requests.add(7);
  while (requests.advance()) {
    // Until the question is answered.
  }
  assert.deepEqual(answers, [7]);
  assert.equal(tree.lag, 0);
  requests.close();
});
