import type { SchedulerDatabase } from "./database.ts";

/** Who of the schedulers over one database decides and sends: one at a time. */
export class ActiveLease {
  readonly #database: SchedulerDatabase;
  readonly #holder: string;
  readonly #leaseMs: number;
  readonly #nowMs: () => number;
  #untilMs = 0;

  constructor(database: SchedulerDatabase, holder: string, leaseMs: number, nowMs: () => number) {
    this.#database = database;
    this.#holder = holder;
    this.#leaseMs = leaseMs;
    this.#nowMs = nowMs;
  }

  /** Whether this one is the active scheduler now. */
  get isHeld(): boolean {
    return this.#nowMs() < this.#untilMs;
  }

  /** Whether nobody else took it, however long this process stood still; asked within a transaction, until its end. */
  get isUncontested(): boolean {
    const [row] = this.#database.all("SELECT holder FROM lease WHERE id = 1");
    return row?.holder === this.#holder;
  }

  /** Takes the lease when it is free, and lengthens it when it is held. */
  renew(): boolean {
    const nowMs = this.#nowMs();
    const untilMs = nowMs + this.#leaseMs;
    const changed = this.#database.changes(
      `INSERT INTO lease (id, holder, until_ms) VALUES (1, ?, ?)
       ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
       WHERE lease.holder = excluded.holder OR lease.until_ms <= ?`,
      this.#holder,
      untilMs,
      nowMs,
    );
    this.#untilMs = changed > 0 ? untilMs : 0;
    return changed > 0;
  }

  /** Lets another one take over at once. */
  release(): void {
    this.#untilMs = 0;
    this.#database.run("DELETE FROM lease WHERE holder = ?", this.#holder);
  }
}
