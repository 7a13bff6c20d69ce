import { type JsonValue, memberOf } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { type AnswerObject, getObject } from "../http/answer-json.ts";
import { type Page, type PageParameters, pageQuery, readPage } from "../http/page.ts";
import { buildQuery } from "../http/query.ts";
import { readInteger } from "./read-integer.ts";

export interface ListCostsParameters extends PageParameters {
  readonly owner?: string | undefined;
  readonly itemHash?: string | undefined;
  /** `credit` by default. */
  readonly paymentType?: "hold" | "superfluid" | "credit" | undefined;
  /** With the lines of each cost and their sizes; needs `owner` or `itemHash`. False by default. */
  readonly withLines?: boolean | undefined;
}

/** What one live message costs. Amounts are decimal texts of up to 18 places. */
export interface CostObject {
  readonly itemHash: string;
  readonly owner: string;
  readonly consumedCredits: bigint;
  /** Tokens. */
  readonly costHold: string;
  /** Tokens a second. */
  readonly costStream: string;
  /** Credits a second. */
  readonly costCredit: string;
  /** null unless they were asked for. */
  readonly lines: readonly CostLineObject[] | null;
}

export interface CostLineObject {
  /** `STORAGE`, `EXECUTION`, `EXECUTION_VOLUME_PERSISTENT` and so on. */
  readonly type: string;
  /** Of `EXECUTION` the product: `program`, `program_persistent`, `instance` and so on. */
  readonly name: string;
  /** MiB; null where nothing has a size. */
  readonly sizeMib: number | null;
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
    itemHash: cost.text("item_hash"),
    owner: cost.text("owner"),
    consumedCredits: readInteger(cost, "consumed_credits"),
    costHold: cost.text("cost_hold"),
    costStream: cost.text("cost_stream"),
    costCredit: cost.text("cost_credit"),
    lines: hasLines ? cost.objects("detail").map(readLine) : null,
  };
}

function readLine(line: AnswerObject): CostLineObject {
  const size: JsonValue = memberOf(line.value, "size_mib") ?? null;
  if (size !== null && typeof size !== "number") throw line.bad("size_mib", "a number or null");
  return { type: line.text("type"), name: line.text("name"), sizeMib: size };
}
