import type { SchedulerDatabase } from "./database.ts";

const KEY = "last_plan_ms";

/** When the last round of planning was complete: the heartbeat that monitors watch. */
export class PlanTime {
  readonly #database: SchedulerDatabase;
  readonly #startedAtMs: number;
  #isOfThisRun = false;

  /** @param startedAtMs what counts before the first round of a new scheduler */
  constructor(database: SchedulerDatabase, startedAtMs: number) {
    this.#database = database;
    this.#startedAtMs = startedAtMs;
  }

  /** A round was complete since this process began. */
  get isOfThisRun(): boolean {
    return this.#isOfThisRun;
  }

  get(): number {
    const [row] = this.#database.all("SELECT value FROM meta WHERE key = ?", KEY);
    return row === undefined ? this.#startedAtMs : Number(row.value);
  }

  set(atMs: number): void {
    this.#isOfThisRun = true;
    this.#database.run(
      "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      KEY,
      String(atMs),
    );
  }
}
