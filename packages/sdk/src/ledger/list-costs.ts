import { memberOf } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { type AnswerObject, getObject } from "../http/answer-json.ts";
import { type Page, type PageParameters, pageQuery, readPage } from "../http/page.ts";
import { buildQuery } from "../http/query.ts";
import { type CostFigures, type CostLineObject, readCostFigures, readCostLine } from "./cost-object.ts";
import { readInteger } from "./read-integer.ts";

export interface ListCostsParameters extends PageParameters {
  readonly owner?: string | undefined;
  readonly itemHash?: string | undefined;
  /** `credit` by default. */
  readonly paymentType?: "hold" | "superfluid" | "credit" | undefined;
  /** With the lines of each cost and their sizes; needs `owner` or `itemHash`. False by default. */
  readonly withLines?: boolean | undefined;
}

/** What one live message costs. */
export interface CostObject extends CostFigures {
  readonly consumedCredits: bigint;
  /** null unless they were asked for. */
  readonly lines: readonly CostLineObject[] | null;
}

/**
 * One page of what live messages cost, by item hash. Source: pyaleph `src/aleph/web/controllers/prices.py`.
 *
 * Pages are not snapshots: compare `total` of all pages before relying on having seen everything.
 *
 * Errors: SDK_BAD_ANSWER and those of `request`.
 *
 * @example
 * const { items } = await listCosts(connection, { owner: account.address, withLines: true });
 */
export async function listCosts(
  connection: Connection,
  parameters: ListCostsParameters,
): Promise<Page<CostObject>> {
  const { owner, itemHash, paymentType, withLines = false, signal } = parameters;
  const answer = await getObject(connection, {
    path: "/api/v0/costs",
    query: buildQuery({
      address: owner,
      item_hash: itemHash,
      payment_type: paymentType,
      include_details: withLines ? 2 : 1,
      include_size: withLines ? true : undefined,
      ...pageQuery(parameters),
    }),
    signal,
  });
  return readPage(answer, "resources", readCost);
}

function readCost(cost: AnswerObject): CostObject {
  const hasLines = (memberOf(cost.value, "detail") ?? null) !== null;
  return {
    ...readCostFigures(cost),
    consumedCredits: readInteger(cost, "consumed_credits"),
    lines: hasLines ? cost.objects("detail").map(readCostLine) : null,
  };
}
