import type { BalancePartFact } from "@twentysix/state";
import type { SqlConnection } from "../../sql/connection.ts";

/** Keeps the newest part at its place. */
export function saveBalancePart(
  connection: SqlConnection,
  { chain, index, count, height }: BalancePartFact,
): void {
  connection.run(
    `INSERT INTO balance_parts (chain, place, n, height) VALUES (?, ?, ?, ?) ON CONFLICT (chain, place) DO UPDATE
       SET n = excluded.n, height = excluded.height WHERE balance_parts.height < excluded.height`,
    chain,
    index,
    count,
    height,
  );
}
