import type { SchedulerDatabase } from "./database.ts";

const FIVE_MINUTES_MS = 300_000;
const KEPT_MS = 366 * 86_400_000;
const MAX_ROWS = 500;

export interface Sample {
  readonly atMs: number;
  readonly figures: Readonly<Record<string, unknown>>;
}

/** Figures of the past, one set in five minutes. */
export class Samples {
  readonly #database: SchedulerDatabase;

  constructor(database: SchedulerDatabase) {
    this.#database = database;
  }

  /** Keeps the figures unless those of the same five minutes are kept. */
  add(atMs: number, figures: () => Sample["figures"]): void {
    const slotMs = atMs - (atMs % FIVE_MINUTES_MS);
    if (this.#database.all("SELECT 1 FROM samples WHERE at_ms = ?", slotMs).length > 0) return;
    this.#database.run(
      "INSERT INTO samples (at_ms, record) VALUES (?, ?)",
      slotMs,
      JSON.stringify(figures()),
    );
    this.#database.run("DELETE FROM samples WHERE at_ms < ?", atMs - KEPT_MS);
  }

  /** The last of each interval, newest first. */
  list(intervalMs: number): readonly Sample[] {
    // Only those that can be among them are read: a year of five minutes is long.
    const sql = `SELECT max(at_ms) AS at_ms, record FROM samples
      WHERE at_ms >= (SELECT max(at_ms) FROM samples) - ? GROUP BY at_ms / ? ORDER BY at_ms DESC LIMIT ?`;
    const spanMs = intervalMs * MAX_ROWS;
    return this.#database.all(sql, spanMs, intervalMs, MAX_ROWS).map((row) => ({
      atMs: Number(row.at_ms),
      figures: JSON.parse(String(row.record)) as Sample["figures"],
    }));
  }
}
