import { Type } from "@sinclair/typebox";
import { MESSAGE_TYPES } from "@twentysix/protocol";
import { CREDIT_SORTS } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ApiContext } from "../context.ts";
import { creditFilter, filterProblems } from "../economy/credit-filter.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { sendJson } from "../http/json-reply.ts";
import { addGet, addPlainGet, type Call, pathValue } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { sendList } from "../http/send-list.ts";
import { listMode, paginationParameters } from "../query/pagination.ts";
import { choice, choiceList, decimal, flag, text, textList } from "../query/parameter.ts";
import { directionOf, SORT_ORDER } from "../query/sorting.ts";
import { CREDIT_ENTRY, CREDIT_SUMMARY } from "../schemas/credit.ts";
import { listSchema } from "../schemas/list.ts";

/** Last second of the year 9999. */
const MAX_SECONDS = 253_402_300_799;
const DATE_BOUNDS = { minimum: 0, maximum: MAX_SECONDS };

export const CREDIT_FILTER_PARAMETERS = {
  txHash: text(["tx_hash", "txHash"]),
  token: text(["token"]),
  chain: text(["chain"]),
  provider: text(["provider"]),
  origin: text(["origin"]),
  originRef: text(["origin_ref", "originRef"]),
  paymentMethod: text(["payment_method", "paymentMethod"]),
  hasExpiration: { ...flag(["has_expiration", "hasExpiration"]), initial: null as boolean | null },
  excludedMethods: textList(["exclude_payment_method", "excludePaymentMethod"]),
  startDate: decimal(["startDate", "start_date"], null, DATE_BOUNDS),
  endDate: decimal(["endDate", "end_date"], null, DATE_BOUNDS),
  direction: choice(["direction"], ["incoming", "outgoing"], null),
  resourceTypes: choiceList(["resourceTypes", "resource_types"], MESSAGE_TYPES, null),
  resource: text(["resource"]),
} as const;

const HISTORY_PARAMETERS = {
  ...CREDIT_FILTER_PARAMETERS,
  sortBy: choice(["sort_by", "sortBy"], CREDIT_SORTS, "message_timestamp"),
  sortOrder: SORT_ORDER,
  /** Ours: an empty list instead of a 404. */
  empty: choice(["empty"], ["404", "200"], "404"),
  ...paginationParameters(0, { minimum: 0 }),
} as const;

const CONSUMED = Type.Object({ item_hash: Type.String(), consumed_credits: Type.Integer() });

/** What came in and what was spent. Source: pyaleph `src/aleph/web/controllers/accounts.py`. */
export function addCreditRoutes(api: FastifyInstance, context: ApiContext): void {
  const { reads } = context.services;
  const describe = (summary: string) => ({ tag: "Balances", summary });

  addGet(
    api,
    "/api/v0/addresses/:address/credit_history",
    {
      ...describe("Credit history of an address"),
      cost: "list",
      query: HISTORY_PARAMETERS,
      response: Type.Composite([
        Type.Object({ address: Type.String() }),
        listSchema("credit_history", CREDIT_ENTRY),
      ]),
      refusals: ["API_NOT_FOUND"],
    },
    (call) => answerHistory(call, context),
  );
  addGet(
    api,
    "/api/v0/addresses/:address/credit_history/summary",
    {
      ...describe("Sums over the credit history of an address"),
      cost: "list",
      query: CREDIT_FILTER_PARAMETERS,
      response: CREDIT_SUMMARY,
    },
    (call) => answerSummary(call, context),
  );
  addPlainGet(
    api,
    "/api/v0/messages/:item_hash/consumed_credits",
    { ...describe("Credits that were spent for a message"), cost: "point", response: CONSUMED },
    async (request, reply) => {
      const itemHash = pathValue(request, "item_hash");
      const consumed = await reads.consumedCredits(itemHash);
      const body = `{"item_hash":${JSON.stringify(itemHash)},"consumed_credits":${consumed}}`;
      return sendJson(request, reply, body);
    },
  );
}

function answerHistory(
  call: Call<typeof HISTORY_PARAMETERS>,
  { services: { lists } }: ApiContext,
): FastifyReply | Promise<FastifyReply> {
  const { request, reply, query, spelled } = call;
  const problems = filterProblems(query, spelled);
  const asked = listMode(query);
  if (!asked.ok || problems.length > 0)
    return sendProblems(reply, [...problems, ...(asked.ok ? [] : asked.problems)]);
  const address = pathValue(request, "address");
  const shape = {
    key: "credit_history",
    items: "array" as const,
    itemName: null,
    leading: `"address":${JSON.stringify(address)},`,
    ...(query.empty === "200" ? {} : { emptyRefusal: "404: Not Found. This address has no such entry" }),
  };
  return sendList(call, asked.mode, shape, lists, "creditHistory", {
    address,
    filter: creditFilter(query),
    sortBy: query.sortBy,
    direction: directionOf(query.sortOrder),
  });
}

async function answerSummary(
  { request, reply, query, spelled }: Call<typeof CREDIT_FILTER_PARAMETERS>,
  { services: { lists } }: ApiContext,
): Promise<FastifyReply> {
  const problems = filterProblems(query, spelled);
  if (problems.length > 0) return sendProblems(reply, problems);
  const address = pathValue(request, "address");
  const signal = disconnectSignal(reply);
  const { entries, incoming, outgoing } = await lists.creditSummary(address, creditFilter(query), { signal });
  const body = `{"address":${JSON.stringify(address)},"entry_count":${entries},"total_amount":${incoming + outgoing},"total_incoming":${incoming},"total_outgoing":${outgoing}}`;
  return sendJson(request, reply, body);
}
