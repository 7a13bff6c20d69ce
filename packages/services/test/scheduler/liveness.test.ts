import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Liveness } from "../../src/scheduler/state/liveness.ts";

describe("the lives of nodes", () => {
  test("count what may have reached them, answered or not", () => {
    const lives = new Liveness(1_000);
    assert.equal(lives.of("n").lastContactBoundMs, 1_000, "an earlier process may have spoken to it");
    const ended = lives.contacting("n", 9_000);
    assert.equal(lives.of("n").lastContactBoundMs, 9_000, "it is on its way");
    const list = lives.contacting("n", 8_000);
    ended(7_000);
    assert.equal(lives.of("n").lastContactBoundMs, 8_000, "another one is");
    list(6_500);
    lives.failed("n");
    assert.deepEqual(lives.of("n"), {
      failures: 1,
      lastProofMs: null,
      lastListMs: null,
      lastContactBoundMs: 7_000,
    });
    lives.answered("n", 6_000, true);
    assert.deepEqual([lives.of("n").failures, lives.of("n").lastContactBoundMs], [0, 7_000]);
  });

  test("begin anew for a scheduler that takes over", () => {
    const lives = new Liveness(1_000);
    lives.answered("n", 6_000, true);
    lives.takeOver(9_000);
    assert.deepEqual([lives.of("n").lastProofMs, lives.of("n").lastContactBoundMs], [null, 9_000]);
    assert.equal(lives.of("other").lastContactBoundMs, 9_000);
  });
});
