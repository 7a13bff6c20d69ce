import type { CostFact } from "@twentysix/state";
import { PRICED_PAYMENTS } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";

interface Sums {
  n: number;
  hold: bigint;
  stream: bigint;
  credit: bigint;
}

/** Stands for all owners together. */
export const EVERY_OWNER = 0;

/** Sums of costs by owner and payment type, collected over one batch and merged at its end. */
export class CostTotals {
  readonly #connection: SqlConnection;
  readonly #deltas = new Map<string, Sums & { readonly ownerId: number; readonly payment: number }>();

  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  add(cost: CostFact, ownerId: number, sign: 1 | -1): void {
    for (const id of [ownerId, EVERY_OWNER]) this.#add(cost, id, sign);
  }

  #add(cost: CostFact, ownerId: number, sign: 1 | -1): void {
    const payment = PRICED_PAYMENTS.indexOf(cost.paymentType);
    const key = `${ownerId} ${payment}`;
    const delta = this.#deltas.get(key) ?? { ownerId, payment, n: 0, hold: 0n, stream: 0n, credit: 0n };
    const factor = BigInt(sign);
    delta.n += sign;
    delta.hold += factor * cost.holdAtto;
    delta.stream += factor * cost.streamAttoPerSecond;
    delta.credit += factor * cost.creditAttoPerSecond;
    this.#deltas.set(key, delta);
  }

  flush(): void {
    for (const { ownerId, payment, n, hold, stream, credit } of this.#deltas.values()) {
      const known = this.#connection.get<{ n: number; hold: string; stream: string; credit: string }>(
        "SELECT n, hold, stream, credit FROM cost_totals WHERE owner_id = ? AND payment = ?",
        ownerId,
        payment,
      );
      this.#connection.run(
        `INSERT INTO cost_totals (owner_id, payment, n, hold, stream, credit) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (owner_id, payment) DO UPDATE SET n = excluded.n, hold = excluded.hold,
           stream = excluded.stream, credit = excluded.credit`,
        ownerId,
        payment,
        (known?.n ?? 0) + n,
        (BigInt(known?.hold ?? "0") + hold).toString(),
        (BigInt(known?.stream ?? "0") + stream).toString(),
        (BigInt(known?.credit ?? "0") + credit).toString(),
      );
    }
    this.#deltas.clear();
  }

  forget(): void {
    this.#deltas.clear();
  }
}
