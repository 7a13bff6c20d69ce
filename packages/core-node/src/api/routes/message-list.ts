import { Type } from "@sinclair/typebox";
import {
  EXTRA_FIELDS,
  type MessageFilter,
  type MessagesQuery,
  type TerminatedQuery,
} from "@twentysix/storage";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { pageOfPath } from "../http/path-page.ts";
import { addGet, type Call } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { sendList } from "../http/send-list.ts";
import {
  contentFormat,
  filterProblems,
  MESSAGE_FILTER_PARAMETERS,
  messageFilter,
} from "../query/message-filter.ts";
import { type ListMode, listMode, paginationParameters } from "../query/pagination.ts";
import { choice, choiceList } from "../query/parameter.ts";
import { directionOf, SORT_ORDER } from "../query/sorting.ts";
import { listSchema } from "../schemas/list.ts";
import { MESSAGE, TERMINATED_MESSAGE } from "../schemas/message.ts";

const DEFAULT_PAGE_SIZE = 20;

const PARAMETERS = {
  ...MESSAGE_FILTER_PARAMETERS,
  sortBy: choice(["sortBy", "sort_by"], ["time", "tx-time"], "time"),
  sortOrder: SORT_ORDER,
  fields: choiceList(["fields"], EXTRA_FIELDS, null),
  ...paginationParameters(DEFAULT_PAGE_SIZE, { minimum: 0 }),
} as const;
type ListCall = Call<typeof PARAMETERS>;

const SHAPE = { key: "messages", items: "array", itemName: "messages", leading: "" } as const;

/** `/messages.json`: messages by filters, in page and cursor mode. */
export function addMessageListRoutes(api: FastifyInstance, context: ApiContext): void {
  const options = {
    cost: "list" as const,
    tag: "Messages",
    summary: "Messages by filters, in pages or by cursor",
    query: PARAMETERS,
    response: listSchema("messages", Type.Union([MESSAGE, TERMINATED_MESSAGE])),
    refusals: ["API_UNSUPPORTED_COMBINATION"] as const,
  };
  addGet(api, "/api/v0/messages.json", options, (call) => answerList(call, call.query.page, context));
  addGet(api, "/api/v0/messages/page/:page.json", options, (call) => {
    const asked = pageOfPath(call.request);
    return "problem" in asked
      ? sendProblems(call.reply, [asked.problem])
      : answerList(call, asked.page, context);
  });
}

function answerList(call: ListCall, page: number, context: ApiContext): FastifyReply | Promise<FastifyReply> {
  const { query, reply } = call;
  const problems = filterProblems(query);
  if (problems.length > 0) return sendProblems(reply, problems);
  const asked = listMode({ page, pagination: pageSizeOf(call), cursor: query.cursor });
  if (!asked.ok) return sendProblems(reply, asked.problems);
  const terminated = terminatedStatus(call);
  if (terminated !== null) return answerTerminated(call, asked.mode, terminated, context);

  const byConfirmation = query.sortBy === "tx-time" || query.startBlock > 0 || query.endBlock > 0;
  const list: MessagesQuery = {
    filter: messageFilter(query),
    sortBy: byConfirmation ? "confirmation" : "time",
    direction: directionOf(query.sortOrder),
    contentFormat: contentFormat(query),
    ...(query.fields === null ? {} : { extraFields: query.fields }),
  };
  return sendList(call, asked.mode, SHAPE, context.services.lists, "messages", list);
}

/** Clients ask for many hashes and forget to ask for as many items. */
function pageSizeOf({ query, spelled }: ListCall): number {
  if (spelled.has("pagination") || query.hashes === null) return query.pagination;
  return Math.max(DEFAULT_PAGE_SIZE, query.hashes.length);
}

/** Forgotten and removed messages are lists of their own and cannot be mixed with others. */
function terminatedStatus({ query }: ListCall): "forgotten" | "removed" | null {
  const statuses = new Set(query.msgStatuses ?? []);
  if (!statuses.has("forgotten") && !statuses.has("removed")) return null;
  if (statuses.size > 1) {
    throw new ApiError(
      "API_UNSUPPORTED_COMBINATION",
      "forgotten and removed cannot be combined with other statuses: ask for each alone",
      { statuses: [...statuses] },
    );
  }
  return statuses.has("forgotten") ? "forgotten" : "removed";
}

const UNSUPPORTED_FOR_TERMINATED = ["refs", "contentTypes", "contentHashes", "contentKeys", "tags"] as const;

function answerTerminated(
  call: ListCall,
  mode: ListMode,
  status: "forgotten" | "removed",
  context: ApiContext,
): Promise<FastifyReply> {
  const { query } = call;
  if (mode.kind === "cursor") {
    throw new ApiError(
      "API_UNSUPPORTED_COMBINATION",
      `cursor is not supported with msgStatuses=${status}: use pages`,
    );
  }
  const offending: string[] = UNSUPPORTED_FOR_TERMINATED.filter((name) => query[name] !== null);
  if (query.startBlock > 0) offending.push("startBlock");
  if (query.endBlock > 0) offending.push("endBlock");
  if (offending.length > 0) {
    throw new ApiError(
      "API_UNSUPPORTED_COMBINATION",
      `not supported with msgStatuses=${status}: ${offending.join(", ")}`,
      { parameters: offending },
    );
  }
  const { statuses: _statuses, ...filter }: MessageFilter = messageFilter(query);
  const list: TerminatedQuery = { status, filter, direction: directionOf(query.sortOrder) };
  return sendList(call, mode, SHAPE, context.services.lists, "terminated", list);
}
