import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { postedExpenses } from "./support/posted-expenses.ts";
import { type ListedCost, startPricedNode } from "./support/priced-node.ts";
import { account, HOUR_MS, startTestAuthority } from "./support/test-authority.ts";

const owners = [account("alice").address, account("bob").address];
const HOURS = 5;

/** Something that begins and mostly ends within the hours that are looked at. */
const stay = fc.record({
  owner: fc.constantFrom(...owners),
  startMs: fc.integer({ min: -HOUR_MS, max: HOURS * HOUR_MS }),
  lengthMs: fc.oneof(
    fc.integer({ min: 1, max: 120_000 }),
    fc.integer({ min: 1, max: 3 * HOUR_MS }),
    fc.constant(Number.POSITIVE_INFINITY),
  ),
  isFile: fc.boolean(),
});
/** What befalls the authority, one after the other. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("pass"), ms: fc.integer({ min: 1_000, max: HOUR_MS }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart"), losesDisk: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash"), at: fc.constantFrom(1, 2) }) },
) as fc.Arbitrary<
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "restart"; readonly losesDisk: boolean }
  | { readonly kind: "crash"; readonly at: number }
>;

const costOf = (
  { owner, startMs, lengthMs, isFile }: typeof stay extends fc.Arbitrary<infer One> ? One : never,
  index: number,
  zeroMs: number,
): ListedCost => ({
  itemHash: createHash("sha256").update(`stay ${index}`).digest("hex"),
  owner,
  credit: "1.000000000000000000",
  startedMs: zeroMs + startMs,
  ...(lengthMs === Number.POSITIVE_INFINITY ? {} : { endedMs: zeroMs + startMs + lengthMs }),
  ...(isFile ? { sizeMib: 1 } : { product: "instance" }),
});

describe("expenses over hours in which things come and go", { timeout: 300_000 }, () => {
  test("come to every second that something ran, once, whatever befalls the authority", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stay, { minLength: 1, maxLength: 12 }),
        fc.array(step, { minLength: 2, maxLength: 7 }),
        async (stays, steps) => {
          const priced = await startPricedNode();
          try {
            const startMs = Date.now();
            // Nothing is billed before there were credits: the first period is the hour in which they are granted.
            const zeroMs = startMs - (startMs % HOUR_MS) + HOUR_MS;
            priced.costs.push(...stays.map((one, index) => costOf(one, index, zeroMs)));
            // What keeps posts coming, so that where they end can be read.
            const anchor = { owner: owners[0] ?? "", credit: "0.000000000000000001", startedMs: 0 };
            priced.costs.push({ itemHash: "00".repeat(32), ...anchor, product: "instance" });
            priced.costs.push({ itemHash: "01".repeat(32), ...anchor, sizeMib: 1 });
            await using authority = await startTestAuthority(priced.apiUrl, { startMs });
            priced.setNow(authority.nowMs);
            await authority.passToFullHour();
            for (const one of steps) {
              if (one.kind === "pass") await authority.pass(one.ms);
              else if (one.kind === "restart") await authority.restart(one);
              else {
                await authority.passUntil(priced.breakAt(one.at, "loses its answer"));
                await authority.restart();
              }
            }
            await authority.passToFullHour();
            for (const kind of ["storage", "execution"] as const) {
              await assertBilledExactly(priced.node.apiUrl, kind, priced.costs);
            }
          } finally {
            await priced.remove();
          }
        },
      ),
      { seed: 26, numRuns: 8 },
    );
  });
});

/** The credits of each owner are the seconds that what costs one a second ran between the first post and the last. */
async function assertBilledExactly(
  apiUrl: string,
  kind: "storage" | "execution",
  costs: readonly ListedCost[],
): Promise<void> {
  const posts = await postedExpenses(apiUrl, kind);
  const from = posts[0]?.start_date ?? 0;
  const until = posts.at(-1)?.end_date ?? 0;
  assert.ok(until - from >= HOUR_MS, "some hours are billed");
  const overlap = ({ startedMs = 0, endedMs = Number.POSITIVE_INFINITY }: ListedCost): number =>
    Math.max(0, Math.min(until, endedMs) - Math.max(from, startedMs));
  const ofKind = costs.filter(
    ({ product, credit }) => (product === undefined) === (kind === "storage") && credit.startsWith("1"),
  );
  if (kind === "execution") {
    const billedMs = new Map<string, number>();
    for (const { execution_id: id = "", time } of posts.flatMap(({ credits }) => credits)) {
      billedMs.set(id, (billedMs.get(id) ?? 0) + Math.round(time * 1_000));
    }
    for (const cost of ofKind) assert.equal(billedMs.get(cost.itemHash) ?? 0, overlap(cost), cost.itemHash);
    return;
  }
  for (const owner of owners) {
    const lines = posts.flatMap(({ credits }) => credits.filter(({ address }) => address === owner));
    const billed = lines.reduce((sum, { amount }) => sum + amount, 0);
    const due =
      ofKind.filter((cost) => cost.owner === owner).reduce((sum, cost) => sum + overlap(cost), 0) / 1_000;
    // A line is rounded up to a whole credit.
    assert.ok(billed >= due && billed <= due + lines.length, `${owner}: ${billed} of ${due}`);
  }
}
