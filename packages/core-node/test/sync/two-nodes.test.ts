import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryNetwork } from "@twentysix/network/test-streams";
import { createSeededRandom, shuffled } from "@twentysix/platform";
import fc from "fast-check";
import { messagesOf, moves } from "../pipeline/support/adversarial.ts";
import { scenarios } from "../pipeline/support/scenarios.ts";
import {
  amend,
  apart,
  evm,
  forget,
  post,
  respelled,
  type Signed,
  store,
  withEnvelope,
} from "../pipeline/support/signed.ts";
import { networkDefinition } from "../pipeline/support/state-harness.ts";
import { type SyncNode, syncNode } from "./support/sync-node.ts";

const local = networkDefinition("local");
const T = 1_700_000_000;

/** Every kind of message, many of them hard on each other: amends, updates, delegations, FORGETs, several copies. */
function corpus(): readonly Signed[] {
  const stories = scenarios(0).flatMap((_, index) => scenarios(1_000 + index)[index]?.messages ?? []);
  const entangled = fc
    .sample(moves(8, 12), { numRuns: 16, seed: 27 })
    .flatMap((set, salt) => messagesOf(set, salt));
  return [...stories, ...entangled];
}

async function pair(): Promise<
  { readonly network: MemoryNetwork; readonly one: SyncNode; readonly other: SyncNode } & AsyncDisposable
> {
  await using stack = new AsyncDisposableStack();
  const network = new MemoryNetwork();
  const one = stack.use(await syncNode(network, "one", local));
  const other = stack.use(await syncNode(network, "other", local));
  const running = stack.move();
  return { network, one, other, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Visits both ways until neither brings anything. */
async function untilEqual(...nodes: readonly [SyncNode, SyncNode]): Promise<void> {
  const [one, other] = nodes;
  for (let round = 0; round < 20; round += 1) {
    await one.sync.visit(other.peerId);
    await other.sync.visit(one.peerId);
    if ((await one.root()) === (await other.root())) return;
  }
  assert.equal(await one.root(), await other.root());
}

describe("two nodes", () => {
  test("with different parts of a mixed set have one state root after their visits", async () => {
    await using nodes = await pair();
    const { network, one, other } = nodes;
    network.connect("one", "other");
    const messages = shuffled(createSeededRandom(1), corpus());
    const [mine, theirs] = [messages.filter((_, n) => n % 3 !== 0), messages.filter((_, n) => n % 3 !== 1)];
    await one.submit(...mine.map(({ text }) => text));
    await other.submit(...theirs.map(({ text }) => text));
    assert.notEqual(await one.root(), await other.root());
    await untilEqual(one, other);
    assert.deepEqual([one.faults, other.faults], [[], []]);
  });

  test("an empty one gets everything, with what is forgotten, at one visit", async () => {
    await using nodes = await pair();
    const { network, one, other } = nodes;
    network.connect("one", "other");
    for (const { text } of corpus()) await one.submit(text);
    const owner = evm("sync owner");
    const original = post(owner, T, "original");
    const hidden = [original, amend(owner, T + 1, original.hash, "first"), post(owner, T, "another")];
    await one.submit(...hidden.map(({ text }) => text));
    await one.submit(forget(owner, T + 2, [original.hash, hidden[2]?.hash ?? ""]).text);
    const report = await other.sync.visit("one");
    assert.equal(await other.root(), await one.root());
    assert.ok(report.isEqual);
    const again = await other.sync.visit("one");
    assert.equal(again.taken, 0);
    assert.equal(again.bodyBytes, 0);
  });

  test("contents that are not inline come along", async () => {
    await using nodes = await pair();
    const { network, one, other } = nodes;
    network.connect("one", "other");
    const author = evm("sync author");
    const { envelope, content } = apart(post(author, T, "stored apart"));
    const kept = await one.hold(content);
    assert.equal(kept, envelope.hash);
    await one.submit(envelope.text, store(author, T, "ab".repeat(32)).text);
    await other.sync.visit("one");
    assert.equal(await other.root(), await one.root());
    assert.equal((await other.submit(envelope.text))[0]?.status, "processed");
  });

  test("a node without room takes nothing, and says so, until it has room", async () => {
    await using stack = new AsyncDisposableStack();
    const network = new MemoryNetwork();
    const one = stack.use(await syncNode(network, "one", local));
    let hasRoom = false;
    const full = stack.use(await syncNode(network, "full", local, { hasRoom: () => hasRoom }));
    await one.submit(post(evm("sync author"), T, "too much").text);
    network.connect("one", "full");
    await assert.rejects(full.sync.visit("one"), /no room/);
    assert.equal((await full.pipeline.stateRoot()).count, 0);
    hasRoom = true;
    await full.sync.visit("one");
    assert.equal(await full.root(), await one.root());
    assert.deepEqual(full.faults, []);
  });

  test("further copies of a message come along when the served one differs", async () => {
    await using nodes = await pair();
    const { network, one, other } = nodes;
    network.connect("one", "other");
    const author = evm("copied author");
    const message = post(author, T, "copied");
    await one.submit(withEnvelope(message, { time: T + 50 }).text, respelled(message).text, message.text);
    await other.sync.visit("one");
    assert.equal(await copies(one), await copies(other));
  });
});

async function copies(node: SyncNode): Promise<string> {
  const { leaves } = await node.tree.log(0, 100, new AbortController().signal);
  const { lines } = await node.tree.bodies(
    leaves.map(({ key }) => key),
    1e9,
    new AbortController().signal,
  );
  return lines
    .map(({ text }) => text)
    .sort()
    .join("\n");
}
