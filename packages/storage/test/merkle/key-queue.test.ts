import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeyQueue } from "../../src/database/merkle/key-queue.ts";

const key = fc
  .tuple(fc.constantFrom(32, 34, 36), fc.array(fc.nat({ max: 255 }), { minLength: 36, maxLength: 36 }))
  .map(([length, bytes]) => Uint8Array.from(bytes.slice(0, length)));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("a queue gives every key once, with the number it was last added with, in slices of the wanted size", () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (keys, limit) => {
      const queue = new KeyQueue();
      const added = [...keys, ...keys.slice(0, keys.length / 2)];
      const expected = new Map(added.map((one, value) => [hex(one), value]));
      for (const [value, one] of added.entries()) queue.add(one, value);
      const taken = new Map<string, number>();
      for (let slice = queue.take(limit); slice.length > 0; slice = queue.take(limit)) {
        assert.ok(slice.length <= limit);
        for (const one of slice) taken.set(hex(one.key), one.value);
      }
      assert.deepEqual(new Map([...taken].sort()), new Map([...expected].sort()));
      queue.clear();
      assert.deepEqual(queue.take(1), []);
    }),
  );
});

test("keys of one length come in their order, many more than fit at first", () => {
  const queue = new KeyQueue();
  let state = 1;
  const keys = Array.from({ length: 20_000 }, () => {
    const bytes = new Uint8Array(32);
    for (let at = 0; at < 8; at += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      bytes[at] = state >>> 24;
    }
    return bytes;
  });
  for (const [value, one] of keys.entries()) queue.add(one, value);
  const taken = queue.take(keys.length).map((one) => hex(one.key).slice(0, 10));
  assert.deepEqual(taken, [...new Set(keys.map(hex))].map((text) => text.slice(0, 10)).sort());
});
