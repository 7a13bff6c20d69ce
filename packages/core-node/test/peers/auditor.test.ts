import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { frameOf } from "@twentysix/network";
import { MemoryNetwork } from "@twentysix/network/test-streams";
import { createMemoryLogger, createSeededRandom, createVirtualTime } from "@twentysix/platform";
import { Auditor } from "../../src/peers/custody/auditor.ts";
import { PROOF_PROTOCOL } from "../../src/peers/custody/proof-protocol.ts";

const AUDIT_MS = 60_000;
const PATIENCE_MS = 30_000;
const FILE = { name: "file", root: "root", sizeBytes: 1_000 };

/** An auditor whose only peer gives one answer to whatever it is asked, or none. */
function challenged(first: unknown) {
  const network = new MemoryNetwork();
  const { streams } = network.peer("auditor");
  let answer = first;
  let asked = 0;
  network.peer("holder").streams.handle(PROOF_PROTOCOL, async (stream) => {
    asked += 1;
    if (answer === null) return;
    await stream.send(frameOf(Buffer.from(JSON.stringify(answer))));
    await stream.end();
  });
  network.connect("auditor", "holder");
  const { clock, timers, advance } = createVirtualTime();
  const auditor = new Auditor({
    streams,
    scores: { fault: () => undefined },
    patienceMs: PATIENCE_MS,
    auditMs: AUDIT_MS,
    clock,
    timers,
    random: createSeededRandom(1),
    log: createMemoryLogger(),
  });
  return {
    advance,
    asked: () => asked,
    answer: (next: unknown) => {
      answer = next;
    },
    challenge: () => auditor.challenge("holder", FILE, new AbortController().signal),
    isTrusted: () => auditor.isTrusted(FILE.name, "holder"),
  };
}

describe("a peer that is challenged", () => {
  test("before it has a new file is counted on for a while, then not, and asked again after an audit", async () => {
    const peer = challenged({ state: "absent" });
    assert.equal(await peer.challenge(), "unproven");
    assert.ok(peer.isTrusted(), "it may be getting the file");
    await peer.advance(PATIENCE_MS + 1_000);
    assert.ok(!peer.isTrusted());
    await peer.advance(AUDIT_MS);
    assert.ok(peer.isTrusted(), "it is a place again, which has to prove it");
  });

  test("and gives a file up is not counted on at once, for an audit", async () => {
    const peer = challenged({ state: "leaving" });
    await peer.challenge();
    assert.ok(!peer.isTrusted());
    await peer.advance(AUDIT_MS);
    assert.ok(peer.isTrusted());
  });

  test("and claims what makes no sense is not counted on for ten audits", async () => {
    const peer = challenged({ state: "held", sizeBytes: -1 });
    await peer.challenge();
    await peer.advance(9 * AUDIT_MS);
    assert.ok(!peer.isTrusted());
    await peer.advance(AUDIT_MS);
    assert.ok(peer.isTrusted());
  });

  test("and never answers holds nothing up for long, and is not counted on when an outage would be over", async () => {
    const peer = challenged(null);
    const asked = async (): Promise<boolean> => {
      const before = peer.asked();
      const answer = peer.challenge();
      await peer.advance(30_000);
      assert.equal(await answer, "unknown");
      return peer.asked() > before;
    };
    assert.ok(await asked());
    assert.ok(peer.isTrusted());
    assert.equal(await peer.challenge(), "unknown", "at once: it is not asked");
    assert.equal(peer.asked(), 1);
    for (const pauseMs of [30_000, 60_000]) {
      assert.ok(peer.isTrusted(), "it may be indexing a large file");
      await peer.advance(pauseMs);
      assert.ok(await asked());
    }
    assert.ok(!peer.isTrusted());
    await peer.advance(120_000);
    peer.answer({ state: "absent" });
    assert.equal(await peer.challenge(), "unproven");
    assert.ok(peer.isTrusted(), "it answers, and may be getting the file");
  });
});
