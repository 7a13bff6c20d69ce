import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { MemoryNetwork } from "@twentysix/network/test-streams";
import { createSystemTimers } from "@twentysix/platform";
import type { SyncStatus } from "../../src/sync/sync-progress.ts";
import { evm, post } from "../pipeline/support/signed.ts";
import { networkDefinition } from "../pipeline/support/state-harness.ts";
import { type SyncNode, syncNode } from "./support/sync-node.ts";

const local = networkDefinition("local");
const timers = createSystemTimers();
const T = 1_700_000_000;
const TOTAL = 4_500;
const RUNS = 3;

/** What a node said of itself, and how many messages it had when it did. */
interface Said extends SyncStatus {
  readonly held: number;
}

/** Asks a node at each of its commits, until it has so many messages or is ready. */
async function listen(node: SyncNode, heldBefore: number, until: number): Promise<readonly Said[]> {
  const said: Said[] = [];
  let held = heldBefore;
  const look = (): void => {
    said.push({ ...node.sync.status(), held });
  };
  const stop = node.pipeline.onCommit(({ processed }) => {
    held += processed;
    look();
  });
  look();
  while (held < until || (until === TOTAL && node.sync.status().state !== "ready")) await timers.sleep(2);
  look();
  stop();
  return said;
}

function assertHonest(said: readonly Said[]): void {
  let percentBefore = 0;
  for (const { state, percent, secondsLeft, held } of said) {
    if (state === "ready") assert.equal(held, TOTAL, "ready, and something is missing");
    else assert.ok(percent === null || percent < 100);
    if (state !== "syncing") assert.deepEqual([percent, secondsLeft], [null, null]);
    if (percent === null) continue;
    assert.ok(percent >= percentBefore, `${percent} % after ${percentBefore} %`);
    assert.ok(percent <= (held / TOTAL) * 100, `${percent} %, and ${held} of ${TOTAL} are here`);
    percentBefore = percent;
  }
}

describe("a new node that is stopped on its way", { timeout: 120_000 }, () => {
  test("never says that it is ready before it has everything, nor that it has more than it has", async () => {
    const folder = await mkdtemp(join(tmpdir(), "twentysix-states-"));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const network = new MemoryNetwork();
    const source = stack.use(await syncNode(network, "source", local));
    const texts = Array.from(
      { length: TOTAL },
      (_, n) => post(evm(`sender ${n % 20}`), T + n, `post ${n}`).text,
    );
    await source.submit(...texts);
    await source.root();

    for (let run = 1; run <= RUNS; run += 1) {
      await using node = await syncNode(network, `run ${run}`, local, { folder, hasBootstrap: true });
      assert.notEqual(node.sync.status().state, "ready");
      // What was on its way when it was stopped has been finished.
      const held = (await node.pipeline.stateRoot()).count;
      const listening = listen(node, held, run === RUNS ? TOTAL : held + TOTAL / (RUNS + 1));
      network.connect("source", node.peerId);
      const said = await listening;
      network.disconnect("source", node.peerId);
      assertHonest(said);
      assert.ok(run === RUNS || said.some(({ state }) => state === "syncing"));
      if (run < RUNS) assert.notEqual(node.sync.status().state, "ready");
      else assert.equal(await node.root(), await source.root());
    }
  });

  test("and one beside it that is new as well does not make it ready", async () => {
    await using stack = new AsyncDisposableStack();
    const network = new MemoryNetwork();
    const one = stack.use(await syncNode(network, "one", local, { hasBootstrap: true }));
    const other = stack.use(await syncNode(network, "other", local, { hasBootstrap: true }));
    network.connect("one", "other");
    await one.sync.visit("other");
    await other.sync.visit("one");
    assert.deepEqual([one.sync.status().state, other.sync.status().state], ["starting", "starting"]);
    stack.use(await syncNode(network, "old", local));
    network.connect("one", "old");
    await one.sync.visit("old");
    assert.equal(one.sync.status().state, "ready");
    await other.sync.visit("one");
    assert.equal(other.sync.status().state, "ready");
  });
});

describe("nodes that were all stopped", { timeout: 120_000 }, () => {
  /** Folders of nodes that each have a message of their own; which of them were ready. */
  async function folders(
    stack: AsyncDisposableStack,
    wereReady: Readonly<Record<string, boolean>>,
  ): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const [name, wasReady] of Object.entries(wereReady)) {
      const folder = await mkdtemp(join(tmpdir(), "twentysix-reunion-"));
      stack.defer(() => rm(folder, { recursive: true, force: true }));
      found.set(name, folder);
      // Whom nobody is named for is ready, and its end writes that down.
      await using node = await syncNode(new MemoryNetwork(), name, local, {
        folder,
        hasBootstrap: !wasReady,
      });
      await node.submit(post(evm(`of ${name}`), T, `a post that ${name} alone has`).text);
    }
    return found;
  }

  async function again(
    stack: AsyncDisposableStack,
    network: MemoryNetwork,
    paths: ReadonlyMap<string, string>,
    name: string,
    aheadSeconds = 0,
  ): Promise<SyncNode> {
    const sought = [...paths.keys()].filter((other) => other !== name);
    const options = { hasBootstrap: true, sought, aheadSeconds: () => aheadSeconds };
    const node = await syncNode(network, name, local, { folder: paths.get(name) ?? "", ...options });
    return stack.use(node);
  }

  test("are ready once one has been through with all that it knows, and not before", async () => {
    await using stack = new AsyncDisposableStack();
    const paths = await folders(stack, { one: true, two: true, three: true });
    const network = new MemoryNetwork();
    const one = await again(stack, network, paths, "one");
    const two = await again(stack, network, paths, "two");
    network.connect("one", "two");
    await one.sync.visit("two");
    await two.sync.visit("one");
    const states = () => [one, two].map(({ sync }) => sync.status().state);
    assert.deepEqual(states(), ["starting", "starting"], "the third may have gone on");
    const three = await again(stack, network, paths, "three");
    network.connect("one", "three");
    await one.sync.visit("three");
    assert.deepEqual(states(), ["ready", "starting"]);
    assert.equal((await one.pipeline.stateRoot()).count, 3, "it has what all of them had");
    await two.sync.visit("one");
    network.connect("two", "three");
    await three.sync.visit("one");
    assert.deepEqual([...states(), three.sync.status().state], ["ready", "ready", "ready"]);
    assert.equal(await two.root(), await one.root());
  });

  test("make nobody ready who was not before, nor is any of them by one that was not", async () => {
    await using stack = new AsyncDisposableStack();
    const [old, fresh] = await bothMet(stack, await folders(stack, { old: true, fresh: false }));
    assert.deepEqual([old, fresh], ["starting", "starting"]);
  });

  test("and were away for more than a day cannot tell who is missing", async () => {
    await using stack = new AsyncDisposableStack();
    const paths = await folders(stack, { one: true, two: true });
    assert.deepEqual(await bothMet(stack, paths, 86_400), ["starting", "starting"]);
  });

  /** What two nodes say of themselves after each has visited the other. */
  async function bothMet(
    stack: AsyncDisposableStack,
    paths: ReadonlyMap<string, string>,
    aheadSeconds = 0,
  ): Promise<readonly string[]> {
    const network = new MemoryNetwork();
    const [one = "", other = ""] = [...paths.keys()];
    const first = await again(stack, network, paths, one, aheadSeconds);
    const second = await again(stack, network, paths, other, aheadSeconds);
    network.connect(one, other);
    await first.sync.visit(other);
    await second.sync.visit(one);
    await first.sync.visit(other);
    assert.equal(await first.root(), await second.root());
    return [first, second].map(({ sync }) => sync.status().state);
  }
});
