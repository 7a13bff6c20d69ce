import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { MemoryNetwork } from "@twentysix/network/test-streams";
import { createDeferred, createSystemTimers, createVirtualTime } from "@twentysix/platform";
import { ContentStore } from "@twentysix/storage";
import { FileHolds } from "../../src/content/file-holds.ts";
import { answerChallenges, askForProof, type HoldingOf } from "../../src/peers/custody/proof-protocol.ts";

/** A node that has a file which came under its SHA-256, and another one that challenges it. */
async function world(holdingOf: (name: string, holds: FileHolds) => HoldingOf) {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "twentysix-proofs-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const contents = stack.use(await ContentStore.open({ folder, timers: createSystemTimers() }));
  const put = await contents.putFile([randomBytes(600_000)], { names: ["fixedCid"] });
  const { sha256: name, fixedCid: root = "" } = put;
  const holds = new FileHolds();
  const network = new MemoryNetwork();
  const [asker, holder] = [network.peer("asker"), network.peer("holder")];
  network.connect("asker", "holder");
  const { clock, timers, advance } = createVirtualTime();
  const lost: string[] = [];
  answerChallenges({
    streams: holder.streams,
    contents,
    holdingOf: holdingOf(name, holds),
    holds,
    onLoss: async (contentName) => {
      lost.push(contentName);
    },
    sign: holder.signatures.sign,
    clock,
    timers,
  });
  const reading = contents.read.bind(contents);
  let readings = 0;
  contents.read = (...parameters) => {
    readings += 1;
    return reading(...parameters);
  };
  const challenge = { name, root, nonce: randomBytes(32).toString("hex") };
  const running = stack.move();
  return {
    name,
    holds,
    contents,
    lost,
    readings: () => readings,
    advance,
    ask: () => askForProof(asker.streams, "holder", challenge, new AbortController().signal),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

describe("what is being proven", () => {
  test("is not given up meanwhile, and can be afterwards", async () => {
    const looks: boolean[] = [];
    await using one = await world((contentName, holds) => async () => {
      using deletion = holds.takeForDeletion(contentName) ?? undefined;
      looks.push(deletion !== undefined);
      return { state: "held", contentName };
    });
    assert.equal((await one.ask()).state, "held");
    assert.deepEqual(looks, [true, false], "first looked for, then held");
    assert.ok(one.holds.takeForDeletion(one.name) !== null);
  });

  test("is absent where it was given up just before, and does not come back", async () => {
    let isHeld = true;
    const asked = createDeferred<void>();
    await using one = await world((contentName) => async () => {
      asked.resolve();
      return isHeld ? { state: "held", contentName } : { state: "absent" };
    });
    const deletion = one.holds.takeForDeletion(one.name);
    assert.ok(deletion !== null);
    const answer = one.ask();
    await asked.promise;
    await one.contents.remove(one.name);
    isHeld = false;
    deletion[Symbol.dispose]();
    assert.deepEqual(await answer, { state: "absent" });
    assert.equal(await one.contents.stat(one.name), undefined);
    assert.deepEqual(one.lost, []);
  });

  test("is indexed once, however many ask for its first proof at the same time", async () => {
    await using one = await world((contentName) => async () => ({ state: "held", contentName }));
    const answers = await Promise.all(Array.from({ length: 8 }, () => one.ask()));
    assert.ok(answers.every(({ state }) => state === "held"));
    assert.equal(one.readings(), 1);
  });

  test("is proven so often in a second to one peer, and no more often", async () => {
    await using one = await world((contentName) => async () => ({ state: "held", contentName }));
    await one.ask();
    let answered = 1;
    const asking = Array.from({ length: 100 }, async () => {
      await one.ask();
      answered += 1;
    });
    for (let turn = 0; turn < 200; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
    await one.advance(1_000);
    for (let turn = 0; turn < 200; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
    assert.ok(answered <= 64 + 16 + 1, `${answered} in a second`);
    for (let isDone = false; !isDone; ) {
      isDone = await Promise.race([
        Promise.all(asking).then(() => true),
        one.advance(1_000).then(() => false),
      ]);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  });
});
