import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createDeferred,
  createMemoryLogger,
  createSeededRandom,
  createVirtualTime,
  raceAbort,
} from "@twentysix/platform";
import { SteadyClock } from "../../src/authority/billing/steady-clock.ts";
import { type Job, JobLoop } from "../../src/authority/job-loop.ts";

const counted = (name: string, delayMs: number, count: () => void): Job => ({
  name,
  run: async () => count(),
  nextDelayMs: () => delayMs,
});

function startLoop(jobs: readonly Job[], ready: Job["run"] = async () => undefined) {
  const time = createVirtualTime();
  const log = createMemoryLogger();
  const loop = new JobLoop({ ...time, jobs, ready, random: createSeededRandom(26), log });
  return { time, log, loop };
}

describe("the tasks of an authority", () => {
  test("run in order, each again when its time has come", async () => {
    const ran: string[] = [];
    const job = (name: string, delayMs: number): Job => counted(name, delayMs, () => ran.push(name));
    const { time, loop } = startLoop([job("prices", 3_600_000), job("billing", 1_000)]);
    await loop.whenIdle();
    await time.advance(2_500);
    assert.deepEqual(ran, ["prices", "billing", "billing", "billing"]);
    await loop.close();
    assert.equal(time.pendingTimers, 0);
  });

  test("wait until the node answers", async () => {
    let isUp = false;
    let runs = 0;
    const job = counted("prices", 1e6, () => {
      runs += 1;
    });
    const { time, loop } = startLoop([job], async () => {
      if (!isUp) throw new Error("refused");
    });
    await time.advance(60_000);
    assert.equal(runs, 0);
    isUp = true;
    await time.advance(60_000);
    assert.equal(runs, 1);
    await loop.close();
  });

  test("a failure is told and tried again with growing pauses, and stops nothing else", async () => {
    const failedAt: number[] = [];
    let others = 0;
    const { time, log, loop } = startLoop([
      {
        name: "broken",
        async run() {
          failedAt.push(time.clock.monotonicMs());
          throw new Error("no");
        },
        nextDelayMs: () => 1,
      },
      counted("fine", 60_000, () => {
        others += 1;
      }),
    ]);
    await time.advance(3_600_000);
    const pauses = failedAt.slice(1).map((at, index) => at - (failedAt[index] ?? 0));
    assert.ok((pauses[0] ?? 0) <= 1_000 && pauses.every((pauseMs) => pauseMs <= 300_000), pauses.join());
    assert.ok(
      pauses.slice(10).every((pauseMs) => pauseMs >= 150_000),
      pauses.join(),
    );
    assert.equal(log.records.filter(({ level }) => level === "error").length, failedAt.length);
    assert.ok(others >= 60);
    await loop.close();
  });

  test("closing ends the one that runs", async () => {
    const started = createDeferred<AbortSignal>();
    const { loop } = startLoop([
      {
        name: "endless",
        run(signal) {
          started.resolve(signal);
          return raceAbort(new Promise<void>(() => undefined), signal);
        },
        nextDelayMs: () => 1,
      },
    ]);
    const signal = await started.promise;
    await loop.close();
    assert.ok(signal.aborted);
  });
});

describe("a clock in doubt", () => {
  test("is believed when it has gone along with the counter for a period, and not before", () => {
    let wallMs = 1e12;
    let monotonicMs = 0;
    const clock = { nowMicros: () => BigInt(wallMs) * 1_000n, monotonicMs: () => monotonicMs };
    const steady = new SteadyClock(clock, 3_600_000);
    const pass = (ms: number, jumpMs = 0): boolean => {
      wallMs += ms + jumpMs;
      monotonicMs += ms;
      return steady.isProven();
    };
    assert.equal(pass(0), false);
    assert.equal(pass(1_800_000), false);
    assert.equal(pass(1_800_000, -9e9), false, "it was set right meanwhile");
    assert.equal(pass(1_800_000), false);
    assert.equal(pass(1_800_000), true);
  });
});
