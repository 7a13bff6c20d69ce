import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createSeededRandom, createSystemRandom, pick, type Random, shuffled } from "../src/index.ts";

const implementations: readonly (readonly [string, () => Random])[] = [
  ["system", createSystemRandom],
  ["seeded", () => createSeededRandom(1)],
];

for (const [name, create] of implementations) {
  describe(`${name} random`, () => {
    test("numbers stay under the bound", () => {
      const random = create();
      fc.assert(
        fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (max) => {
          const value = random.uniform(max);
          assert.ok(Number.isSafeInteger(value) && value >= 0 && value < max);
        }),
      );
    });

    test("every value of a small range comes up about as often", () => {
      const random = create();
      const counts = [0, 0, 0, 0, 0];
      for (let draw = 0; draw < 10_000; draw++) {
        const value = random.uniform(5);
        counts[value] = (counts[value] ?? 0) + 1;
      }
      // 2,000 expected, standard deviation 40: eight of them never happen by chance.
      for (const count of counts) assert.ok(Math.abs(count - 2_000) < 320, counts.join());
    });

    test("refuses a bound that cannot be drawn from", () => {
      const random = create();
      for (const max of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
        assert.throws(() => random.uniform(max), RangeError);
      }
    });

    test("gives as many bytes as asked, not all alike", () => {
      const random = create();
      for (const length of [0, 1, 3, 4, 5, 64]) assert.equal(random.randomBytes(length).length, length);
      assert.notDeepEqual(random.randomBytes(32), random.randomBytes(32));
    });
  });
}

describe("seeded random", () => {
  test("is xoshiro128**: the published sequence for the state 1, 2, 3, 4", () => {
    // Source: rust-random/rngs, rand_xoshiro/src/xoshiro128starstar.rs (made with the authors' C code).
    const expected = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ];
    const random = createSeededRandom([1, 2, 3, 4]);
    assert.deepEqual(
      expected.map(() => random.uniform(2 ** 32)),
      expected,
    );
  });

  test("one seed, one sequence; another seed, another", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const bytes = createSeededRandom(seed).randomBytes(16);
        assert.deepEqual(createSeededRandom(seed).randomBytes(16), bytes);
        assert.notDeepEqual(createSeededRandom(seed + 1).randomBytes(16), bytes);
      }),
    );
  });

  test("refuses a state that would stay zero and a seed that is no whole number", () => {
    assert.throws(() => createSeededRandom([0, 0, 0, 0]), RangeError);
    assert.throws(() => createSeededRandom(0.5), RangeError);
  });
});

test("shuffled keeps the items and leaves the source alone", () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.integer(), (items, seed) => {
      const before = [...items];
      const result = shuffled(createSeededRandom(seed), items);
      assert.deepEqual(items, before);
      const ascending = (a: number, b: number): number => a - b;
      assert.deepEqual(result.sort(ascending), before.sort(ascending));
    }),
  );
});

test("pick gives one of the items, or nothing from nothing", () => {
  const random = createSeededRandom(3);
  assert.equal(pick(random, []), undefined);
  assert.deepEqual(new Set(Array.from({ length: 100 }, () => pick(random, ["a", "b"]))), new Set(["a", "b"]));
});
