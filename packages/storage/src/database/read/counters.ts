import { COUNTER_CODE, type CounterDimension } from "../codes.ts";
import type { SqlConnection } from "../sql/connection.ts";

const ONE = "SELECT n FROM counters WHERE dimension = ? AND a = ? AND b = ?";
const SUM = "SELECT coalesce(sum(n), 0) AS n FROM counters WHERE dimension = ? AND a = ?";
const PARTNERS = "SELECT a, b, n FROM counters WHERE dimension = ? AND a = ? AND n > 0";
const ALL = "SELECT a, b, n FROM counters WHERE dimension = ? AND n > 0";

export interface CounterRow {
  readonly a: number;
  readonly b: number;
  readonly n: number;
}

/** The counts that the writer keeps, so that nothing has to be counted when it is asked. */
export class Counters {
  readonly #connection: SqlConnection;

  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  get(dimension: CounterDimension, a = 0, b = 0): number {
    return this.#connection.get<{ n: number }>(ONE, COUNTER_CODE[dimension], a, b)?.n ?? 0;
  }

  /** Sum over all combinations; `bs` null: over every b. */
  sum(dimension: CounterDimension, as: readonly number[], bs: readonly number[] | null): number {
    let total = 0;
    for (const a of as) {
      if (bs === null) total += this.#connection.get<{ n: number }>(SUM, COUNTER_CODE[dimension], a)?.n ?? 0;
      else for (const b of bs) total += this.get(dimension, a, b);
    }
    return total;
  }

  /** The counters of one a. */
  partners(dimension: CounterDimension, a: number): readonly CounterRow[] {
    return this.#connection.all<CounterRow>(PARTNERS, COUNTER_CODE[dimension], a);
  }

  /** Every counter of a dimension with a value; its size is that of the dictionary behind `a`. */
  all(dimension: CounterDimension): readonly CounterRow[] {
    return this.#connection.all<CounterRow>(ALL, COUNTER_CODE[dimension]);
  }
}
