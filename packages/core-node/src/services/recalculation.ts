import type { Clock, Logger } from "@twentysix/platform";
import { onAbort } from "@twentysix/platform";
import type { Recalculation, RecalculationJob } from "../api/economy/economy-services.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { RecalculationReport } from "../pipeline/recalculation-report.ts";

export interface RecalculationOptions {
  readonly pipeline: Pick<Pipeline, "recalculate">;
  readonly clock: Clock;
  readonly log: Logger;
}

const NOTHING_YET: RecalculationReport = {
  total: 0,
  looked: 0,
  recalculated: 0,
  changed: 0,
  priceLists: 0,
  errors: [],
};

/** Has costs computed anew: one job over all messages at a time, and single messages beside it. */
export function createRecalculation({ pipeline, clock, log }: RecalculationOptions): Recalculation {
  let job: RecalculationJob | null = null;
  let running: Promise<void> = Promise.resolve();
  const change = (part: Partial<RecalculationJob>): void => {
    if (job !== null) job = { ...job, ...part };
  };
  const run = async (dryRun: boolean): Promise<void> => {
    try {
      const report = await pipeline.recalculate(null, dryRun, (progress) => change({ report: progress }));
      change({ state: "done", endedMicros: clock.nowMicros(), report });
    } catch (error) {
      log.error("Costs could not be computed anew", { error });
      change({ state: "failed", endedMicros: clock.nowMicros() });
    }
  };
  return {
    get job() {
      return job;
    },
    start({ dryRun }) {
      if (job?.state === "running") return null;
      const startedMicros = clock.nowMicros();
      const started = { state: "running", dryRun, startedMicros, endedMicros: null } as const;
      job = { id: (job?.id ?? 0) + 1, ...started, report: NOTHING_YET };
      running = run(dryRun);
      return job;
    },
    async settled(signal) {
      const aborted = Promise.withResolvers<void>();
      const release = onAbort(signal, () => aborted.resolve());
      await Promise.race([running, aborted.promise]);
      release();
    },
    one: (itemHash, { dryRun }) => pipeline.recalculate(itemHash, dryRun),
  };
}
