import assert from "node:assert/strict";
import { test } from "node:test";
import { OwnerReplays } from "../../src/control/auth/owner-replays.ts";

const WINDOW_MS = 1_000;

test("an owner who signs too much is refused for a while, and nobody else", () => {
  const replays = new OwnerReplays({ windowMs: WINDOW_MS, maxOperations: 3, maxOwners: 10 });
  for (const key of ["1", "2", "3"]) assert.equal(replays.add("loud", key, 0), "fresh");
  assert.equal(replays.add("loud", "2", 0), "known");
  assert.equal(replays.add("loud", "4", 0), "full");
  assert.equal(replays.add("quiet", "1", 0), "fresh");
  assert.equal(replays.add("loud", "4", WINDOW_MS + 1), "fresh");
});

test("only as many owners are remembered as there is room for, those who came last", () => {
  const replays = new OwnerReplays({ windowMs: WINDOW_MS, maxOperations: 3, maxOwners: 2 });
  for (const owner of ["a", "b"]) assert.equal(replays.add(owner, "1", 0), "fresh");
  assert.equal(replays.add("a", "2", 1), "fresh");
  assert.equal(replays.add("c", "1", 2), "fresh");
  assert.equal(replays.add("a", "1", 3), "known");
  assert.equal(replays.add("b", "1", 4), "fresh");
});
