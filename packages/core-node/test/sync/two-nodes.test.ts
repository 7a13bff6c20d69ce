import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryNetwork } from "@twentysix/network/test-streams";
import { createSeededRandom, shuffled } from "@twentysix/platform";
import fc from "fast-check";
import { messagesOf, moves } from "../pipeline/support/adversarial.ts";
import { scenarios } from "../pipeline/support/scenarios.ts";
import {
  aggregate,
  amend,
  apart,
  evm,
  forget,
  grant,
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
const LONG = "😀".repeat(190_000);
/** Characters; each may be three bytes, and a visitor takes 64 MiB. */
const MAX_ANSWER = 10 * 1024 * 1024;

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

  test("what a FORGET hides comes, however long the texts are that a delegate had forgotten", async () => {
    await using nodes = await pair();
    const { network, one, other } = nodes;
    network.connect("one", "other");
    const [owner, delegate] = [evm("prolific owner"), evm("prolific delegate")];
    await one.submit(grant(owner, T, { address: delegate.address }).text);
    const posts = Array.from({ length: 24 }, (_, index) => post(owner, T + 1 + index, LONG));
    await arrive(one, posts);
    const [hashes, time] = [posts.map(({ hash }) => hash), T + 1_000];
    const hiding = forget(delegate, time, hashes);
    assert.equal((await one.submit(hiding.text))[0]?.status, "processed");
    for (const asked of [[hiding.hash], hashes]) assert.ok((await answerTo(one, asked)) < MAX_ANSWER);
    await other.sync.visit("one");
    assert.deepEqual(other.faults, []);
    assert.equal(await other.root(), await one.root());
  });

  test("a FORGET that hides too much to be told of at once holds nothing else up", async () => {
    await using nodes = await pair();
    const { network, one, other } = nodes;
    network.connect("one", "other");
    const owner = evm("wordy owner");
    const elements = Array.from({ length: 24 }, (_, index) =>
      aggregate(owner, T + index, `${index}${LONG}`, {}),
    );
    await arrive(one, elements);
    const hashes = elements.map(({ hash }) => hash);
    const hiding = forget(owner, T + 1_000, hashes);
    const later = post(owner, T + 1_001, "later");
    await one.submit(hiding.text, later.text);
    for (const asked of [[hiding.hash], hashes]) assert.ok((await answerTo(one, asked)) < MAX_ANSWER);
    await other.sync.visit("one");
    assert.deepEqual(other.faults, []);
    assert.equal((await other.submit(later.text))[0]?.known, true);
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

/** Characters of what a node answers to a question for bodies. */
async function answerTo(node: SyncNode, hashes: readonly string[]): Promise<number> {
  const { lines } = await node.tree.bodies(hashes, 1024 * 1024, new AbortController().signal);
  return lines.reduce((sum, { text }) => sum + text.length, 0);
}

/** What comes from others may be longer than what clients may send. */
async function arrive(node: SyncNode, messages: readonly Signed[]): Promise<void> {
  const arriving = messages.map(({ text }) => node.pipeline.submit(text, { origin: "p2p" }));
  for (const { status } of await Promise.all(arriving)) assert.equal(status, "processed");
}

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
