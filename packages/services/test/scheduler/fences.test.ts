import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fenceOf, fencesWhenSent, fencesWhenTaken } from "../../src/scheduler/dispatch/fences.ts";
import type { PushList } from "../../src/scheduler/dispatch/push-list.ts";

const list = (times: Readonly<Record<string, number>>, ...instances: readonly string[]): PushList => ({
  persistent_vms: [],
  instances,
  elsewhere_after_seconds: times,
});
const NEVER_ASKED = { keepsFences: null, fencesMs: {} };
const seen = (vmHash: string) => ({ vmHash, wasSeen: true });

describe("what a node promises of its machines", () => {
  test("is what it said of the last list", () => {
    const promises = fencesWhenTaken(list({ a: 900, b: 900 }, "a", "b", "c"), ["a"]);
    assert.equal(fenceOf(promises, seen("a")), 900_000);
    assert.equal(fenceOf(promises, seen("b")), null, "it cannot promise that");
    assert.equal(fenceOf(promises, seen("c")), null, "nobody asked");
    assert.equal(fenceOf(promises, seen("d")), null, "it runs what is in no list");
    assert.equal(fenceOf(promises, { vmHash: "d", wasSeen: false }), undefined);
  });

  test("is the weaker of two while a list is on its way, or was lost", () => {
    const before = fencesWhenTaken(list({ a: 60 }, "a", "b"), ["a"]);
    const stronger = { ...before, fencesMs: fencesWhenSent(before, list({ a: 30, b: 30 }, "a", "b", "c")) };
    assert.equal(fenceOf(stronger, seen("a")), 60_000);
    assert.equal(fenceOf(stronger, seen("b")), null);
    assert.equal(fenceOf(stronger, seen("c")), null);
    const weaker = { ...before, fencesMs: fencesWhenSent(before, list({}, "a")) };
    assert.equal(fenceOf(weaker, seen("a")), null);
    const first = { ...NEVER_ASKED, fencesMs: fencesWhenSent(NEVER_ASKED, list({ a: 60 }, "a")) };
    assert.equal(fenceOf(first, seen("a")), 60_000, "it knows that it runs it by this list alone");
  });

  test("is nothing where it does not know of promises", () => {
    const promises = fencesWhenTaken(list({ a: 900 }, "a"), null);
    assert.equal(fenceOf(promises, seen("a")), undefined);
    assert.equal(fenceOf(NEVER_ASKED, seen("a")), undefined);
  });
});
