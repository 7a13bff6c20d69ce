import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { MemoryNetwork } from "@twentysix/network/test-streams";
import { evm, forget, post, type Signed } from "../pipeline/support/signed.ts";
import { networkDefinition } from "../pipeline/support/state-harness.ts";
import { syncNode } from "./support/sync-node.ts";

const local = networkDefinition("local");
const T = 1_700_000_000;

const posts = (name: string, count: number): readonly Signed[] =>
  Array.from({ length: count }, (_, n) => post(evm(`${name} ${n % 20}`), T + n, `${name} ${n}`));

describe("nodes that were apart", { timeout: 120_000 }, () => {
  test("have one state root soon after they meet, by themselves, whatever each has taken meanwhile", async () => {
    await using stack = new AsyncDisposableStack();
    const network = new MemoryNetwork();
    const names = ["a", "b", "c"] as const;
    const nodes = [];
    for (const name of names) nodes.push(stack.use(await syncNode(network, name, local, { periodMs: 200 })));
    const [a, b, c] = nodes;
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    network.connect("a", "b");
    const shared = posts("shared", 30);
    await a.submit(...shared.map(({ text }) => text));
    await b.reaches(await a.root());
    network.disconnect("a", "b");

    const owner = evm("shared 0");
    await a.submit(
      ...posts("left", 60).map(({ text }) => text),
      forget(owner, T + 99, [shared[0]?.hash ?? ""]).text,
    );
    await b.submit(...posts("right", 60).map(({ text }) => text));
    await c.submit(...posts("late", 60).map(({ text }) => text));
    network.connect("a", "b");
    network.connect("b", "c");
    while (new Set(await Promise.all(nodes.map((node) => node.root()))).size > 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await a.pipeline.stateRoot()).count, 30 + 60 * 3 + 1);
    assert.deepEqual(
      nodes.flatMap(({ faults }) => faults),
      [],
    );
  });

  test("a node that is cut off on its way goes on from where it was", async () => {
    const folder = await mkdtemp(join(tmpdir(), "twentysix-sync-"));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const network = new MemoryNetwork();
    const source = stack.use(await syncNode(network, "source", local));
    const total = 6_000;
    await source.submit(...posts("many", total).map(({ text }) => text));
    const root = await source.root();

    let held = 0;
    for (let runs = 0; runs < 3; runs += 1) {
      await using node = await syncNode(network, `new ${runs}`, local, { folder });
      network.connect("source", node.peerId);
      while ((await node.pipeline.stateRoot()).count < Math.min(total, held + 1_500))
        await new Promise((resolve) => setTimeout(resolve, 5));
      network.disconnect("source", node.peerId);
      held = (await node.pipeline.stateRoot()).count;
    }
    await using node = await syncNode(network, "new", local, { folder });
    network.connect("source", "new");
    await node.reaches(root);
    const { bodyBytes } = node.sync.statistics();
    const whole = posts("many", total).reduce((sum, { text }) => sum + text.length, 0);
    assert.ok(bodyBytes < whole / 2, `${bodyBytes} of ${whole} bytes were fetched again`);
  });
});
