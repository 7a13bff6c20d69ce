import { join } from "node:path";
import { makePlan } from "./planner/plan.ts";
import { SchedulerDatabase } from "./state/database.ts";
import { DecisionLog, inputDigest, planDigest } from "./state/decision-log.ts";

export const DATABASE_FILE = "scheduler.sqlite3";

export interface ReplayReport {
  /** Rounds whose whole input is kept. */
  readonly rounds: number;
  /** Rounds whose input was changed since, or from which this program decides something else. */
  readonly differing: readonly number[];
}

/**
 * Decides anew what a scheduler decided, from what it looked at then.
 *
 * @param dataDir the folder of its database
 * @throws SchedulerError SCHEDULER_STATE_UNREADABLE
 */
export function replayDecisions(dataDir: string): ReplayReport {
  using database = new SchedulerDatabase(join(dataDir, DATABASE_FILE));
  const differing: number[] = [];
  let rounds = 0;
  for (const round of new DecisionLog(database).rounds()) {
    rounds += 1;
    const isSame =
      inputDigest(round.input) === round.inputDigest &&
      planDigest(makePlan(round.input)) === round.planDigest;
    if (!isSame) differing.push(round.id);
  }
  return { rounds, differing };
}
