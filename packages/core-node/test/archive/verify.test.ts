import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSeededRandom, shuffled } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import fc from "fast-check";
import { messagesOf, moves } from "../pipeline/support/adversarial.ts";
import { scenarios } from "../pipeline/support/scenarios.ts";
import { aggregate, evm, forget, grant, post, type Signed, signed } from "../pipeline/support/signed.ts";
import { networkDefinition, StateHarness } from "../pipeline/support/state-harness.ts";
import { folderOf, holdFiles, storedPost, verifyFolder } from "./support.ts";

const SEEDS = [1, 2, 3];

/** Every scenario twice, with accounts of its own, random sets, and messages whose content is a file. */
function corpus(seed: number): {
  readonly messages: readonly Signed[];
  readonly contents: readonly string[];
} {
  const count = scenarios(0).length;
  const messages = [1, 2].flatMap((round) =>
    Array.from(
      { length: count },
      (_, index) => scenarios(round * 1_000 + index)[index]?.messages ?? [],
    ).flat(),
  );
  const writer = evm("of long posts");
  const stored = [1, 2, 3].map((n) => storedPost(writer, 1_700_000_000 + n, `long ${n}`));
  const element = (at: number, content: object): Signed =>
    aggregate(writer, 1_700_000_000 + at, "named", content);
  const byName = signed(writer, "FORGET", 1_700_000_005, { hashes: [], aggregates: ["named"] });
  const first = stored[0]?.message.hash ?? "";
  return {
    messages: [
      ...messages,
      ...fc.sample(moves(8, 12), { numRuns: 8, seed }).flatMap((set, salt) => messagesOf(set, salt)),
      ...stored.map(({ message }) => message),
      forget(writer, 1_700_000_009, [first]),
      element(1, { a: 1 }),
      element(2, { b: 2 }),
      byName,
      element(6, { a: 6 }),
    ],
    contents: stored.map(({ content }) => content),
  };
}

async function filled(definition: NetworkDefinition, seed: number): Promise<StateHarness> {
  const node = await StateHarness.open(definition);
  const { messages, contents } = corpus(seed);
  await holdFiles(node, contents);
  const random = createSeededRandom(seed);
  const order = shuffled(random, messages);
  for (let start = 0; start < order.length; ) {
    const size = 1 + random.uniform(40);
    await node.submit(...order.slice(start, start + size).map((message) => message.text));
    start += size;
  }
  await node.settle();
  return node;
}

const NETWORKS: Readonly<Record<string, NetworkDefinition>> = {
  local: networkDefinition("local"),
  mainnet: networkDefinition("mainnet"),
  "local without canonicalOrder": networkDefinition("local", { canonicalOrder: false }),
};

test("what a FORGET hid that was taken back too late is unknown again, and nothing is wrong with that", async () => {
  const local = networkDefinition("local");
  const [owner, friend] = [evm("who revokes late"), evm("whose right had ended")];
  const T = 1_700_000_000;
  const hidden = post(owner, T, "hidden");
  await using node = await StateHarness.open(local);
  await node.submit(grant(owner, T, { address: friend.address }).text, hidden.text);
  await node.submit(forget(friend, T + 5, [hidden.hash]).text);
  node.nowMicros += 400n * 3_600_000_000n;
  node.store.eraseRetained(node.nowMicros, 100);
  await node.submit(grant(owner, T + 3).text);
  await node.settle();
  assert.equal(node.status(hidden.hash), "rejected");
  assert.deepEqual((await verifyFolder(folderOf(node), local)).problems, []);
});

describe("what a node derived from messages of all kinds", () => {
  for (const [name, definition] of Object.entries(NETWORKS)) {
    for (const seed of SEEDS) {
      test(`on ${name} is found again, whatever the order of arrival (seed ${seed})`, async () => {
        await using node = await filled(definition, seed);
        const report = await verifyFolder(folderOf(node), definition);
        assert.deepEqual(report.problems, []);
        assert.equal(report.root, node.root());
        assert.ok(report.ok && report.count > 100, `${report.count} messages`);
      });
    }
  }
});
