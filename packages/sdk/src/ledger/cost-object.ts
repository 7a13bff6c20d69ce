import { type JsonValue, memberOf } from "@twentysix/protocol";
import type { AnswerObject } from "../http/answer-json.ts";

/** What one message costs. Amounts are decimal texts of up to 18 places. */
export interface CostFigures {
  readonly itemHash: string;
  readonly owner: string;
  /** `hold`, `superfluid` or `credit`. */
  readonly paymentType: string;
  /** Tokens. */
  readonly costHold: string;
  /** Tokens a second. */
  readonly costStream: string;
  /** Credits a second. */
  readonly costCredit: string;
  /** Name of the price list that it was computed by; null where a node does not tell. */
  readonly pricingRevision: string | null;
  /** ISO 8601, to the microsecond: since when it costs that; null where a node does not tell. */
  readonly startedAt: string | null;
}

export interface CostLineObject {
  /** `STORAGE`, `EXECUTION`, `EXECUTION_VOLUME_PERSISTENT` and so on. */
  readonly type: string;
  /** Of `EXECUTION` the product: `program`, `program_persistent`, `instance` and so on. */
  readonly name: string;
  /** MiB; null where nothing has a size. */
  readonly sizeMib: number | null;
}

export const readCostFigures = (cost: AnswerObject): CostFigures => ({
  itemHash: cost.text("item_hash"),
  owner: cost.text("owner"),
  paymentType: cost.text("payment_type"),
  costHold: cost.text("cost_hold"),
  costStream: cost.text("cost_stream"),
  costCredit: cost.text("cost_credit"),
  pricingRevision: cost.textOrNull("pricing_revision"),
  startedAt: cost.textOrNull("started_at"),
});

export function readCostLine(line: AnswerObject): CostLineObject {
  const size: JsonValue = memberOf(line.value, "size_mib") ?? null;
  if (size !== null && typeof size !== "number") throw line.bad("size_mib", "a number or null");
  return { type: line.text("type"), name: line.text("name"), sizeMib: size };
}
