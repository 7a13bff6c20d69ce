import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createSystemClock } from "@twentysix/platform";
import type { RecalculationReport } from "../../src/pipeline/recalculation-report.ts";
import { createRecalculation } from "../../src/services/recalculation.ts";

const report = (looked: number): RecalculationReport => ({
  total: 10,
  looked,
  recalculated: looked,
  changed: 1,
  priceLists: 1,
  errors: [],
});

/** A pipeline whose work the test does. */
function manualPipeline() {
  const calls: {
    progress: (report: RecalculationReport) => void;
    end: PromiseWithResolvers<RecalculationReport>;
  }[] = [];
  return {
    calls,
    recalculate: (
      _itemHash: string | null,
      _dryRun: boolean,
      progress: (report: RecalculationReport) => void = () => undefined,
    ) => {
      const end = Promise.withResolvers<RecalculationReport>();
      calls.push({ progress, end });
      return end.promise;
    },
  };
}

test("one job over all messages runs at a time, tells how far it is, and may be waited for", async () => {
  const pipeline = manualPipeline();
  const log = createMemoryLogger();
  const recalculation = createRecalculation({ pipeline, clock: createSystemClock(), log });
  const job = () => recalculation.job;
  assert.equal(job(), null);
  assert.equal(recalculation.start({ dryRun: true })?.state, "running");
  assert.equal(recalculation.start({ dryRun: false }), null, "one is running");
  pipeline.calls[0]?.progress(report(4));
  assert.deepEqual([job()?.report.looked, job()?.dryRun], [4, true]);

  const patience = new AbortController();
  const waiting = recalculation.settled(patience.signal);
  patience.abort();
  await waiting;
  assert.equal(job()?.state, "running", "who stops waiting ends nothing");

  const settled = recalculation.settled(new AbortController().signal);
  pipeline.calls[0]?.end.resolve(report(10));
  await settled;
  assert.deepEqual([job()?.state, job()?.report.looked], ["done", 10]);

  assert.equal(recalculation.start({ dryRun: false })?.id, 2);
  const failing = recalculation.settled(new AbortController().signal);
  pipeline.calls[1]?.end.reject(new Error("the writer failed"));
  await failing;
  assert.equal(job()?.state, "failed");
});
