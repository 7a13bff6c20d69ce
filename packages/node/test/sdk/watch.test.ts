import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { evmAccount, sdkClient } from "../support/sdk-client.ts";
import { startTestNode } from "../support/test-node.ts";

const node = await startTestNode();
after(() => node.remove());
const client = sdkClient(node);
const account = evmAccount("watch");
const post = async (channel: string, content: number): Promise<string> =>
  (await client.createPost({ account, type: "watched", content, channel, sync: true })).itemHash;

describe("the SDK on a started node: watching", { timeout: 120_000 }, () => {
  test("gives history, then what comes, each once", async () => {
    const old = [await post("WATCH", 0), await post("WATCH", 1)];
    await post("ELSEWHERE", 2);
    const frames = client.watchMessages({ channels: ["WATCH"], history: 10 });
    const seen = [await nextHash(frames), await nextHash(frames)];
    assert.deepEqual(seen, old);
    await post("ELSEWHERE", 3);
    const fresh = await post("WATCH", 4);
    assert.equal(await nextHash(frames), fresh);
    await frames.return();
  });

  test("goes on when the node restarts, and misses nothing", async () => {
    const frames = client.watchMessages({ channels: ["RESTART"], history: 1 });
    const first = await post("RESTART", 0);
    assert.equal(await nextHash(frames), first);
    for (let round = 1; round <= 2; round += 1) {
      const next = nextHash(frames);
      await node.restart();
      const sent = await post("RESTART", round);
      assert.equal(await next, sent);
    }
    await frames.return();
  });

  test("what was accepted before a restart is there after it", async () => {
    const itemHash = await post("KEPT", 0);
    const { root } = await client.stateRoot();
    await node.restart();
    assert.equal((await client.getStatus({ itemHash }))?.status, "processed");
    assert.equal((await client.stateRoot()).root, root);
  });

  test("ends when its caller says so", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const frames = client.watchMessages({ channels: ["NOTHING"], signal: controller.signal });
    const next = frames.next();
    controller.abort(reason);
    await assert.rejects(next, reason);
  });
});

async function nextHash(frames: AsyncGenerator<{ readonly item_hash: string }>): Promise<string> {
  const next = await frames.next();
  assert.ok(!next.done, "the watch ended");
  return next.value.item_hash;
}
