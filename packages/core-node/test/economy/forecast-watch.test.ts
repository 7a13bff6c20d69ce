import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createVirtualTime } from "@twentysix/platform";
import { type ForecastFacts, ReadError } from "@twentysix/storage";
import type { ForecastEvent } from "../../src/api/economy/forecast-events.ts";
import { ForecastWatch } from "../../src/api/economy/forecast-watch.ts";

const ATTO = 10n ** 18n;
const START = 1_790_000_000_000_000n;
const DAY_MS = 86_400_000;

/** A watch over an account that spends a credit a second of what expires at one moment. */
function startWatch(expiresInDays: number) {
  const time = createVirtualTime(START);
  const log = createMemoryLogger();
  const commits = new Set<() => void>();
  const account = {
    looks: 0,
    mark: "first",
    fails: false,
    credits: 10n ** 12n,
    at: START + BigInt(expiresInDays * DAY_MS) * 1_000n,
  };
  const facts = (nowMicros: bigint): ForecastFacts => ({
    tokensAtto: 0n,
    heldAtto: 0n,
    creditAttoPerSecond: ATTO,
    lots: account.at > nowMicros ? [{ remaining: account.credits, expirationMicros: account.at }] : [],
    isCut: false,
    firstToGo: null,
    marked: null,
  });
  const watch = new ForecastWatch({
    rules: { creditRuntimeSeconds: 86_400n, removalGraceMicros: 0n },
    mark: async () => account.mark,
    facts: async (_address, nowMicros) => {
      account.looks += 1;
      if (account.fails) throw new ReadError("READ_TIMEOUT", "the test says so", {});
      return facts(nowMicros);
    },
    statusOf: async () => null,
    onCommit: (listener) => {
      commits.add(listener);
      return () => commits.delete(listener);
    },
    ...time,
    log,
  });
  const heard: string[] = [];
  const hear = ({ name, data }: ForecastEvent): void => {
    heard.push(`${name} ${(JSON.parse(data) as { threshold_seconds: number | null }).threshold_seconds}`);
  };
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= DAY_MS / 48) await time.advance(Math.min(left, DAY_MS / 48));
  };
  const commit = (): void => {
    for (const listener of [...commits]) listener();
  };
  return { watch, account, heard, hear, pass, commit, commits, log };
}

test("a runway that time shortens is told of at 7 days, 1 day and 1 hour, by a look for each", async () => {
  const { watch, account, heard, hear, pass, commits } = startWatch(10);
  const leave = watch.subscribe("0xA", hear);
  await pass(2 * DAY_MS);
  assert.deepEqual([heard, account.looks], [["forecast null"], 1]);
  await pass(2 * DAY_MS);
  assert.deepEqual([heard.at(-1), account.looks], ["runway 604800", 2]);
  await pass(5.5 * DAY_MS);
  assert.deepEqual([heard.at(-1), account.looks], ["runway 86400", 3]);
  await pass(DAY_MS);
  assert.deepEqual([heard.at(-1), account.looks, heard.length], ["runway 3600", 4, 4]);
  leave();
  assert.equal(commits.size, 0, "nobody listens, nothing is listened to");
  await pass(2 * DAY_MS);
  assert.equal(account.looks, 4);
  watch.close();
});

test("a commit is looked into only where it changed the account, once for all who listen", async () => {
  const { watch, account, heard, hear, pass, commit } = startWatch(100);
  watch.subscribe("0xA", hear);
  watch.subscribe("0xA", (event) => hear(event));
  await pass(2_000);
  assert.deepEqual([heard, account.looks], [["forecast null", "forecast null"], 1]);
  for (let n = 0; n < 50; n += 1) commit();
  await pass(5_000);
  assert.equal(account.looks, 1, "of others");
  account.mark = "second";
  account.credits = 3_000n;
  for (let n = 0; n < 50; n += 1) commit();
  await pass(5_000);
  assert.deepEqual([heard.slice(2), account.looks], [["runway 3600", "runway 3600"], 2]);
  account.mark = "third";
  account.credits = 10n ** 12n;
  account.fails = true;
  commit();
  await pass(2_000);
  assert.deepEqual(heard.slice(4), []);
  account.fails = false;
  await pass(20_000);
  assert.deepEqual(
    heard.slice(4),
    ["recovery null", "recovery null"],
    "what could not be read is read again",
  );
  watch.close();
});
