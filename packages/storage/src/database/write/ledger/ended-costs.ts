import type { CostFact } from "@twentysix/state";
import { encodeCostLines } from "../../cost-lines.ts";
import { COST_START } from "../../cost-start.ts";
import type { SqlConnection } from "../../sql/connection.ts";

/** How long what a message cost is told of after it went: longer than most pauses of whoever bills. */
const KEPT_MICROS = 31n * 86_400_000_000n;

const KEEP = `INSERT INTO ended_costs
    (id, hash, owner_id, payment, hold, stream, credit, lines, price_list_id, started_us, ended_us)
  SELECT c.id, c.hash, c.owner_id, c.payment, c.hold, c.stream, c.credit, ?, c.price_list_id, ${COST_START}, ?
    FROM costs AS c CROSS JOIN items AS i WHERE c.id = ? AND i.id = c.id
  ON CONFLICT DO NOTHING`;

export interface EndingCost {
  readonly id: number;
  readonly hash: string;
  readonly cost: CostFact;
  readonly nowMicros: bigint;
}

/** Remembers the cost of a message that costs nothing any more, and forgets those that went long ago. */
export function endCost(connection: SqlConnection, { id, hash, cost, nowMicros }: EndingCost): void {
  connection.run(KEEP, encodeCostLines(hash, cost.lines.map(withoutWords)), nowMicros, id);
  connection.run("DELETE FROM ended_costs WHERE ended_us < ?", nowMicros - KEPT_MICROS);
}

/** What was forgotten may have named its volumes: only the name of a product is none of its words. */
const withoutWords = (line: CostFact["lines"][number]): CostFact["lines"][number] => ({
  ...line,
  name: line.type === "EXECUTION" ? line.name : line.type,
  ref: null,
});
