import type { FastifyInstance } from "fastify";
import { AggregateAnswers } from "../aggregates/aggregate-answers.ts";
import type { ApiContext } from "../context.ts";
import { addGet } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { sendList } from "../http/send-list.ts";
import { listMode, paginationParameters } from "../query/pagination.ts";
import { choice, flag, integer, textList } from "../query/parameter.ts";
import { directionOf, SORT_ORDER } from "../query/sorting.ts";
import { AGGREGATES_OF_ADDRESS, LISTED_AGGREGATE } from "../schemas/aggregate.ts";
import { listSchema } from "../schemas/list.ts";

const AGGREGATE_PARAMETERS = {
  keys: textList(["keys"]),
  limit: integer(["limit"], 1000),
  withInfo: flag(["with_info", "withInfo"]),
  valueOnly: flag(["value_only", "valueOnly"]),
} as const;

const LIST_PARAMETERS = {
  keys: textList(["keys"]),
  addresses: textList(["addresses"]),
  sortBy: choice(["sortBy", "sort_by"], ["last_modified", "creation_time"], "last_modified"),
  sortOrder: SORT_ORDER,
  ...paginationParameters(20, { minimum: 1, maximum: 500 }),
} as const;

const SHAPE = { key: "aggregates", items: "array", itemName: "aggregates", leading: "" } as const;

export function addAggregateRoutes(api: FastifyInstance, context: ApiContext): void {
  const answers = new AggregateAnswers(context);
  addGet(
    api,
    "/api/v0/aggregates/:address.json",
    {
      cost: "point",
      tag: "Aggregates",
      summary: "The aggregates of an address by key",
      query: AGGREGATE_PARAMETERS,
      response: AGGREGATES_OF_ADDRESS,
      refusals: ["API_NOT_FOUND", "API_OVERLOADED", "API_READ_TIMEOUT"],
    },
    ({ query, ...call }) => answers.answer(call, query),
  );
  for (const path of ["/api/v0/aggregates", "/api/v0/aggregates.json"]) {
    const options = {
      cost: "list" as const,
      tag: "Aggregates",
      summary: "Aggregates of all addresses",
      query: LIST_PARAMETERS,
      response: listSchema("aggregates", LISTED_AGGREGATE),
    };
    addGet(api, path, options, (call) => {
      const { query, reply } = call;
      const asked = listMode(query);
      if (!asked.ok) return sendProblems(reply, asked.problems);
      return sendList(call, asked.mode, SHAPE, context.services.lists, "aggregates", {
        ...(query.keys === null ? {} : { keys: query.keys }),
        ...(query.addresses === null ? {} : { owners: query.addresses }),
        sortBy: query.sortBy,
        direction: directionOf(query.sortOrder),
      });
    });
  }
}
