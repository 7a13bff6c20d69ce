import { COUNTER_CODE, type CounterDimension } from "../codes.ts";
import type { SqlConnection } from "../sql/connection.ts";

/** Changes of counters collected over one batch and merged into the table at its end, in the order of its rows. */
export class CounterDeltas {
  readonly #connection: SqlConnection;
  readonly #deltas = new Map<string, [dimension: number, a: number, b: number, n: number]>();

  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  add(dimension: CounterDimension, a: number, b: number, n: number): void {
    const code = COUNTER_CODE[dimension];
    const key = `${code} ${a} ${b}`;
    const known = this.#deltas.get(key);
    if (known === undefined) this.#deltas.set(key, [code, a, b, n]);
    else known[3] += n;
  }

  flush(): void {
    const rows = [...this.#deltas.values()].filter(([, , , n]) => n !== 0);
    rows.sort((x, y) => x[1] - y[1] || x[0] - y[0] || x[2] - y[2]);
    for (const [dimension, a, b, n] of rows) {
      this.#connection.run(
        "INSERT INTO counters (dimension, a, b, n) VALUES (?, ?, ?, ?) ON CONFLICT (a, dimension, b) DO UPDATE SET n = counters.n + excluded.n",
        dimension,
        a,
        b,
        n,
      );
    }
    this.#deltas.clear();
  }

  forget(): void {
    this.#deltas.clear();
  }
}
