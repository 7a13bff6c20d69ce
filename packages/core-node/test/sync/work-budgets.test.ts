import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WorkBudgets } from "../../src/sync/work-budgets.ts";

describe("the time that a node works for a visitor", () => {
  test("is half of it at most for one that asks without end", () => {
    const budgets = new WorkBudgets();
    let nowMs = 0;
    let workedMs = 0;
    while (nowMs < 100_000) {
      nowMs += 50;
      workedMs += 50;
      nowMs += budgets.spend("flood", 50, nowMs);
    }
    assert.ok(workedMs <= nowMs / 2 + 2_100, `${workedMs} of ${nowMs} ms`);
    assert.equal(budgets.spend("another", 50, nowMs), 0);
  });

  test("is half of it for all of them together, whatever names they go by", () => {
    const budgets = new WorkBudgets();
    const names = Array.from({ length: 8 }, (_one, index) => `flood ${index}`);
    const dueMs = new Map(names.map((name) => [name, 0]));
    let workedMs = 0;
    for (let nowMs = 0; nowMs < 200_000; ) {
      const [name = "", dueAt = 0] = [...dueMs].toSorted((one, other) => one[1] - other[1])[0] ?? [];
      nowMs = Math.max(nowMs, dueAt) + 50;
      if (nowMs > 100_000) workedMs += 50;
      dueMs.set(name, nowMs + budgets.spend(name, 50, nowMs));
    }
    assert.ok(workedMs <= 55_000, `${workedMs} of 100,000 ms`);
  });

  test("has no limit that a catch-up notices", () => {
    const budgets = new WorkBudgets();
    for (let nowMs = 0; nowMs < 100_000; nowMs += 300) assert.equal(budgets.spend("new node", 100, nowMs), 0);
  });
});
