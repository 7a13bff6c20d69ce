import { runStorm, type StormReport } from "../storm.ts";
import type { StormSize } from "../storm-plan.ts";

export interface SeedOutcome {
  readonly seed: number;
  readonly report: StormReport | null;
  /** null: nothing was wrong. */
  readonly failure: string | null;
  /** Time of processors that it took. */
  readonly cpuMs: number;
}

/** Runs seeds one after the other; a failure is an outcome. */
export async function* outcomesOfSeeds(
  seeds: readonly number[],
  size: StormSize,
  cpuMs: () => number,
): AsyncGenerator<SeedOutcome, void, undefined> {
  for (const seed of seeds) {
    const beforeMs = cpuMs();
    try {
      const report = await runStorm(seed, size);
      yield { seed, report, failure: null, cpuMs: cpuMs() - beforeMs };
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      yield { seed, report: null, failure, cpuMs: cpuMs() - beforeMs };
    }
  }
}
