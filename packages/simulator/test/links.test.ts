import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSeededRandom, createVirtualTime } from "@twentysix/platform";
import { Links } from "../src/net/links.ts";

function stormyLinks(seed: number) {
  const time = createVirtualTime();
  const links = new Links({ clock: time.clock, timers: time.timers, random: createSeededRandom(seed) });
  Object.assign(links.weather, {
    maxDelayMs: 500,
    lossPerMille: 300,
    latePerMille: 300,
    doublePerMille: 300,
  });
  return { time, links };
}

const COUNT = 200;
const inOrder = Array.from({ length: COUNT }, (_, n) => n);

describe("links in bad weather", () => {
  test("carry a stream whole and in order, also over a cut", async () => {
    const { time, links } = stormyLinks(1);
    const arrived: number[] = [];
    const carry = links.stream("a", "b");
    for (const n of inOrder) carry(1_000, () => arrived.push(n));
    await time.advance(100);
    const heal = links.cut("b", "a");
    await time.advance(60_000);
    assert.ok(arrived.length < COUNT, "something was on its way");
    heal();
    await time.advance(600_000);
    assert.deepEqual(arrived, inOrder);
  });

  test("lose, double and mix up what is gossiped", async () => {
    const { time, links } = stormyLinks(2);
    const arrived: number[] = [];
    for (const n of inOrder) links.toss("a", "b", () => arrived.push(n));
    await time.advance(60_000);
    assert.ok(new Set(arrived).size < COUNT, "none was lost");
    assert.ok(new Set(arrived).size < arrived.length, "none came twice");
    assert.notDeepEqual(
      arrived,
      arrived.toSorted((a, b) => a - b),
    );
  });

  test("two cuts of one link are over when both are", async () => {
    const { links } = stormyLinks(3);
    const [one, other] = [links.cut("a", "b"), links.cut("a", "b")];
    one();
    one();
    assert.ok(links.isCut("b", "a"));
    other();
    assert.ok(!links.isCut("a", "b"));
  });
});
