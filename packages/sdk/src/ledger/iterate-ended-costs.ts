import type { Connection } from "../connection.ts";
import { type AnswerObject, getObject } from "../http/answer-json.ts";
import { type IterateParameters, iterateCursor } from "../http/page.ts";
import { buildQuery } from "../http/query.ts";
import { type CostFigures, type CostLineObject, readCostFigures, readCostLine } from "./cost-object.ts";

export interface IterateEndedCostsParameters extends IterateParameters {
  /** Unix seconds: what went later. Nodes remember 31 days. */
  readonly sinceSeconds?: number | undefined;
  readonly owner?: string | undefined;
  /** All of them by default. */
  readonly paymentType?: "hold" | "superfluid" | "credit" | undefined;
}

/** What a message cost that was forgotten or removed. */
export interface EndedCostObject extends CostFigures {
  /** ISO 8601, to the microsecond: until when it cost that. */
  readonly endedAt: string;
  readonly lines: readonly CostLineObject[];
}

/**
 * What messages cost that are gone, in the order in which they went.
 *
 * Errors: SDK_INVALID_INPUT, SDK_BAD_ANSWER and those of `request`; SDK_NOT_FOUND from a node that does not tell.
 *
 * @example
 * for await (const { itemHash, endedAt } of iterateEndedCosts(connection, { sinceSeconds: 1_790_000_000 })) {
 *   close(itemHash, endedAt);
 * }
 */
export function iterateEndedCosts(
  connection: Connection,
  parameters: IterateEndedCostsParameters = {},
): AsyncGenerator<EndedCostObject, void, undefined> {
  const { sinceSeconds, owner, paymentType, signal } = parameters;
  return iterateCursor(
    parameters,
    "resources",
    (cursor) =>
      getObject(connection, {
        path: "/api/v1/costs/ended",
        query: buildQuery({ since: sinceSeconds, address: owner, payment_type: paymentType, ...cursor }),
        signal,
      }),
    readEndedCost,
  );
}

const readEndedCost = (cost: AnswerObject): EndedCostObject => ({
  ...readCostFigures(cost),
  endedAt: cost.text("ended_at"),
  lines: cost.objects("detail").map(readCostLine),
});
