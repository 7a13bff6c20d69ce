import { formatAtto } from "@twentysix/protocol";
import { type CostFilter, type CostSummary, PAYMENT_TYPES } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ApiContext } from "../context.ts";
import { sendJson } from "../http/json-reply.ts";
import { addGet, type Call } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { sendList } from "../http/send-list.ts";
import { listMode, paginationParameters } from "../query/pagination.ts";
import { choice, flag, integer, text } from "../query/parameter.ts";
import { COSTS } from "../schemas/costs.ts";

const PARAMETERS = {
  address: text(["address"]),
  itemHash: text(["item_hash", "itemHash"]),
  paymentType: choice(["payment_type", "paymentType"], PAYMENT_TYPES, "credit"),
  includeDetails: integer(["include_details", "includeDetails"], 0, { minimum: 0, maximum: 2 }),
  includeSize: flag(["include_size", "includeSize"]),
  ...paginationParameters(100, { minimum: 10, maximum: 1_000 }),
} as const;

/** What resources cost together, and each of them. Source: pyaleph `src/aleph/web/controllers/prices.py`. */
export function addCostRoutes(api: FastifyInstance, context: ApiContext): void {
  addGet(
    api,
    "/api/v0/costs",
    {
      cost: "list",
      tag: "Prices",
      summary: "What live messages cost together, and each of them",
      query: PARAMETERS,
      response: COSTS,
    },
    (call) => answerCosts(call, context),
  );
}

async function answerCosts(
  call: Call<typeof PARAMETERS>,
  { services: { reads, lists } }: ApiContext,
): Promise<FastifyReply> {
  const { request, reply, query } = call;
  const { address, itemHash, paymentType, includeDetails } = query;
  if (includeDetails === 2 && address === null && itemHash === null) {
    const msg = "Value error, include_details=2 requires address or item_hash";
    return sendProblems(reply, [{ type: "value_error", loc: ["include_details"], msg, input: "2" }]);
  }
  const asked = listMode(query);
  if (!asked.ok) return sendProblems(reply, asked.problems);
  const filter: CostFilter = {
    paymentType,
    ...(address === null ? {} : { owner: address }),
    ...(itemHash === null ? {} : { itemHash }),
  };
  const leading = `"summary":${summaryBody(await reads.costSummary(filter))},"filters":${JSON.stringify({
    address,
    item_hash: itemHash,
    payment_type: paymentType,
  })},`;
  if (includeDetails === 0) {
    const none =
      '"resources":null,"pagination_page":null,"pagination_total":null,"pagination_per_page":null,"pagination_item":null';
    return sendJson(request, reply, `{${leading}${none}}`);
  }
  const shape = { key: "resources", items: "array" as const, itemName: "resources", leading };
  return sendList(call, asked.mode, shape, lists, "costs", {
    ...filter,
    withLines: includeDetails === 2,
    withSizes: query.includeSize,
  });
}

function summaryBody(summary: CostSummary): string {
  const { consumedCredits, holdAtto, streamAttoPerSecond, creditAttoPerSecond, resources } = summary;
  return `{"total_consumed_credits":${consumedCredits},"total_cost_hold":"${formatAtto(holdAtto)}","total_cost_stream":"${formatAtto(streamAttoPerSecond)}","total_cost_credit":"${formatAtto(creditAttoPerSecond)}","resource_count":${resources}}`;
}
