import { Type } from "@sinclair/typebox";
import { STATUSES } from "@twentysix/storage";
import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { addGet } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { sendList } from "../http/send-list.ts";
import { listMode, paginationParameters } from "../query/pagination.ts";
import { choiceList, decimal, flag } from "../query/parameter.ts";
import { reversedRange } from "../query/ranges.ts";
import { directionOf, SORT_ORDER } from "../query/sorting.ts";
import { microsOfSeconds } from "../query/times.ts";
import { listSchema } from "../schemas/list.ts";

const PARAMETERS = {
  statuses: choiceList(["status", "msgStatuses", "message_statuses"], STATUSES, null),
  startDate: decimal(["startDate", "start_date"], 0, { minimum: 0 }),
  endDate: decimal(["endDate", "end_date"], 0, { minimum: 0 }),
  sortOrder: SORT_ORDER,
  hashOnly: flag(["hash_only", "hashOnly"], true),
  ...paginationParameters(20, { minimum: 0 }),
} as const;

const SHAPE = { key: "hashes", items: "array", itemName: "hashes", leading: "" } as const;

/** With `hash_only=false`. */
const STATE = Type.Object({
  item_hash: Type.String(),
  status: Type.String(),
  reception_time: Type.String({ format: "date-time" }),
});

/** `/messages/hashes`: item hashes by the time this node saw them, the way to follow a node completely. */
export function addMessageHashesRoute(api: FastifyInstance, { services }: ApiContext): void {
  addGet(
    api,
    "/api/v0/messages/hashes",
    {
      cost: "list",
      tag: "Messages",
      summary: "Item hashes ordered by reception time",
      query: PARAMETERS,
      response: listSchema("hashes", Type.Union([Type.String(), STATE])),
    },
    (call) => {
      const { query, reply } = call;
      const problems = reversedRange(
        { name: "startDate", value: query.startDate },
        { name: "endDate", value: query.endDate },
      );
      if (problems.length > 0) return sendProblems(reply, problems);
      const asked = listMode(query);
      if (!asked.ok) return sendProblems(reply, asked.problems);
      const startMicros = microsOfSeconds(query.startDate);
      const endMicros = microsOfSeconds(query.endDate);
      return sendList(call, asked.mode, SHAPE, services.lists, "hashes", {
        ...(query.statuses === null ? {} : { statuses: query.statuses }),
        ...(startMicros === undefined ? {} : { startMicros }),
        ...(endMicros === undefined ? {} : { endMicros }),
        direction: directionOf(query.sortOrder),
        hashOnly: query.hashOnly,
      });
    },
  );
}
