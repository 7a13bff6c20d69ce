import { PAYMENT_TYPES } from "@twentysix/storage";
import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { addGet } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { sendList } from "../http/send-list.ts";
import { listMode, paginationParameters } from "../query/pagination.ts";
import { choice, decimal, text } from "../query/parameter.ts";
import { microsOfSeconds } from "../query/times.ts";
import { ENDED_COSTS } from "../schemas/costs.ts";

const PARAMETERS = {
  since: decimal(["since"], 0, { minimum: 0 }),
  address: text(["address"]),
  paymentType: choice(["payment_type"], PAYMENT_TYPES, null),
  ...paginationParameters(100, { minimum: 10, maximum: 1_000 }),
} as const;

/** What forgotten and removed messages cost, and until when: kept for 31 days, for whoever bills. */
export function addEndedCostRoute(api: FastifyInstance, { services: { lists } }: ApiContext): void {
  addGet(
    api,
    "/api/v1/costs/ended",
    {
      cost: "list",
      tag: "Prices",
      summary: "What messages cost that went after a moment (Unix seconds), in the order in which they went",
      query: PARAMETERS,
      response: ENDED_COSTS,
    },
    (call) => {
      const { since, address, paymentType } = call.query;
      const asked = listMode(call.query);
      if (!asked.ok) return sendProblems(call.reply, asked.problems);
      const shape = { key: "resources", items: "array" as const, itemName: "resources", leading: "" };
      return sendList(call, asked.mode, shape, lists, "endedCosts", {
        sinceMicros: microsOfSeconds(since) ?? 0n,
        ...(paymentType === null ? {} : { paymentType }),
        ...(address === null ? {} : { owner: address }),
      });
    },
  );
}
