import assert from "node:assert/strict";
import { test } from "node:test";
import { StateTree } from "@twentysix/storage/writer";
import { aggregate, evm } from "./support/signed.ts";
import { networkDefinition, StateHarness } from "./support/state-harness.ts";

const account = evm("who changes one aggregate again and again");
const START = 1_700_000_000;

const element = (n: number): string =>
  aggregate(account, START + n, "profile", { [`field-${n % 3}`]: n }).text;

const elements = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, at) => element(from + at));

test("what changes while the trees follow is followed too, however often it was noted before", async () => {
  await using node = StateHarness.inMemory(networkDefinition("local"));
  const { connection, dirty } = node.store.session;
  const tree = new StateTree(connection, dirty);
  const noted = (): number =>
    connection.get<{ n: number }>("SELECT count(*) AS n FROM derived_dirty")?.n ?? 0;
  await node.submit(...elements(0, 300));
  assert.equal(noted(), 1, "one aggregate is noted once");
  // The slice ends before the last of the messages.
  tree.advance();
  await node.submit(...elements(300, 303));
  assert.equal(noted(), 2, "and again once the trees have taken it up");
  const followed = tree.root();
  assert.equal(noted(), 0);

  await using other = StateHarness.inMemory(networkDefinition("local"));
  await other.submit(...elements(0, 303).reverse());
  const { session } = other.store;
  assert.equal(followed.root, new StateTree(session.connection, session.dirty).root().root);
});
