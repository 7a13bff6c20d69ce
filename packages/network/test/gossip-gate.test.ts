import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createVirtualTime } from "@twentysix/platform";
import { GossipGate, type GossipOutcome } from "../src/gossip-gate.ts";

const FRAME_BYTES = 600;

/** Peers that send one message after the other for as long as they are let. */
function world() {
  const { clock, timers, advance } = createVirtualTime();
  const gate = new GossipGate({ clock, timers });
  const counts = new Map<string, number>();
  const ended = new AbortController();
  const sends = async (peerId: string, outcome: GossipOutcome, lookMs = 0): Promise<void> => {
    while (!ended.signal.aborted) {
      await gate.read(peerId, FRAME_BYTES);
      if (ended.signal.aborted) return;
      await gate.look(
        peerId,
        async () => {
          counts.set(peerId, (counts.get(peerId) ?? 0) + 1);
          if (lookMs > 0) await timers.sleep(lookMs);
        },
        () => outcome,
      );
    }
  };
  const sendsOne = async (peerId: string): Promise<void> => {
    await gate.read(peerId, FRAME_BYTES);
    await gate.look(
      peerId,
      async () => counts.set(peerId, (counts.get(peerId) ?? 0) + 1),
      () => "new",
    );
  };
  return {
    advance,
    gate,
    sendsOne: (peerId: string) => void sendsOne(peerId),
    sends: (peerId: string, outcome: GossipOutcome, lookMs?: number) => void sends(peerId, outcome, lookMs),
    countOf: (peerId: string) => counts.get(peerId) ?? 0,
    [Symbol.dispose]: () => {
      ended.abort();
      gate.close();
    },
  };
}

/** What happens in a minute once bursts are used up. */
async function inAMinute(run: ReturnType<typeof world>, ...peers: readonly string[]): Promise<number[]> {
  await run.advance(60_000);
  const before = peers.map(run.countOf);
  await run.advance(60_000);
  return peers.map((peerId, index) => (run.countOf(peerId) - (before[index] ?? 0)) / 60);
}

describe("gossip waits for its turn", () => {
  test("new messages of one peer at so many a second, and a burst of one that is not new", async () => {
    using run = world();
    run.sendsOne("a");
    await run.advance(60_000);
    run.sends("a", "new");
    run.sends("newcomer", "new");
    await run.advance(2_000);
    const [burst, first] = [run.countOf("a"), run.countOf("newcomer")];
    assert.ok(burst > 1_000 && burst < 2_500, `${burst} in two seconds`);
    assert.ok(first > 300 && first < 700, `${first} of the newcomer`);
    const [perSecond = 0] = await inAMinute(run, "a");
    assert.ok(perSecond > 150 && perSecond < 250, `${perSecond} a second`);
  });

  test("what is refused costs its sender twenty times as much, what is known hardly anything", async () => {
    using run = world();
    run.sends("bad", "refused");
    run.sends("early", "known");
    const [refused = 0, known = 0] = await inAMinute(run, "bad", "early");
    assert.ok(refused > 8 && refused < 16, `${refused} refused a second`);
    assert.ok(known > 400, `${known} known a second`);
  });

  test("many bad peers do not keep a good one from being heard", async () => {
    using run = world();
    for (let index = 0; index < 20; index += 1) run.sends(`bad ${index}`, "refused");
    run.sends("good", "new");
    const [perSecond = 0, bad = 0] = await inAMinute(run, "good", "bad 7");
    assert.ok(perSecond >= bad, `${perSecond} a second, beside ${bad} of each of the others`);
    const all = await inAMinute(run, ...Array.from({ length: 20 }, (_one, index) => `bad ${index}`));
    assert.ok(all.reduce((sum, one) => sum + one, 0) < 500, "all of them together");
  });

  test("many that send all they may do not hold up one that sends little", async () => {
    using run = world();
    for (let index = 0; index < 20; index += 1) run.sends(`busy ${index}`, "new");
    await run.advance(60_000);
    for (let number = 1; number <= 20; number += 1) {
      run.sendsOne("quiet");
      await run.advance(60);
      assert.equal(run.countOf("quiet"), number);
    }
  });

  test("so many are looked at at once, and a slow look holds up nobody else for ever", async () => {
    using run = world();
    for (let index = 0; index < 40; index += 1) run.sends("slow", "new", 5_000);
    run.sends("quick", "new");
    await run.advance(1_000);
    assert.equal(run.countOf("slow"), 32);
    assert.ok(run.countOf("quick") > 100);
  });

  test("and says how much came, what became of it, and who is held back", async () => {
    using run = world();
    run.sendsOne("good");
    await run.advance(1_000);
    const calm = run.gate.figures();
    assert.deepEqual([...calm.messages], [["new", 1]]);
    assert.deepEqual([calm.frames, calm.frameBytes], [1, FRAME_BYTES]);
    assert.deepEqual([calm.heldBack, calm.waiting, calm.exhaustedPeers], [0, 0, 0]);
    const unitsOfAll = calm.unitsLeft;
    run.sends("bad", "refused");
    await run.advance(10_000);
    const { messages, frames, heldBack, waiting, exhaustedPeers, unitsLeft } = run.gate.figures();
    assert.equal(messages.get("refused"), run.countOf("bad"));
    assert.ok(frames > run.countOf("bad"));
    assert.ok(heldBack > 0);
    assert.deepEqual([waiting, exhaustedPeers], [1, 1]);
    assert.ok(unitsLeft > 0 && unitsLeft <= unitsOfAll, "one bad peer takes nothing from the others");
  });
});
