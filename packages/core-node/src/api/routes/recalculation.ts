import { formatIsoZ } from "@twentysix/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { RecalculationReport } from "../../pipeline/recalculation-report.ts";
import { isAnyItemHash } from "../any-item-hash.ts";
import type { ApiContext } from "../context.ts";
import { administrationKeyOf, isTokenValid } from "../economy/admin-token.ts";
import type { RecalculationJob } from "../economy/economy-services.ts";
import { assertPriced } from "../economy/price-status.ts";
import { ApiError } from "../errors.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet, addPost, pathValue, queryTextOf } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { flag } from "../query/parameter.ts";
import { querySchema, readQuery } from "../query/read-query.ts";
import { type JOB, JOB_STATE, RECALCULATED } from "../schemas/recalculation.ts";

/** A job that is over by then is answered with its outcome. */
const MAX_WAIT_MS = 5_000;
const RETRY_AFTER_SECONDS = 5;

const PARAMETERS = { dryRun: flag(["dry_run", "dryRun"]) } as const;

const DESCRIPTION = { cost: "write", tag: "Prices", query: querySchema(PARAMETERS) } as const;

/** Costs computed anew by whoever administers the network. Source: pyaleph `src/aleph/web/controllers/prices.py`. */
export function addRecalculationRoutes(api: FastifyInstance, context: ApiContext): void {
  const { recalculation, administrationKey } = context.services.economy;
  const key = administrationKey === null ? null : administrationKeyOf(administrationKey);
  const assertAuthorised = (request: FastifyRequest): void => {
    const token = request.headers["x-auth-token"];
    const nowSeconds = Number(context.services.clock.nowMicros() / 1_000_000n);
    if (key !== null && typeof token === "string" && isTokenValid(token, key, nowSeconds)) return;
    throw new ApiError(
      "API_UNAUTHORIZED",
      "401: Unauthorized. X-Auth-Token must be a fresh token of the administrator of this network",
      {},
      { "www-authenticate": "Bearer" },
    );
  };

  addPost(
    api,
    "/api/v0/price/recalculate",
    {
      ...DESCRIPTION,
      summary: "Compute the costs of all messages anew, in the background",
      response: RECALCULATED,
      refusals: ["API_UNAUTHORIZED", "API_RECALCULATION_RUNNING"],
      answers: { 202: { description: "It goes on: see /api/v1/price/recalculation.", schema: RECALCULATED } },
    },
    (request, reply) => {
      assertAuthorised(request);
      return recalculateAll(request, reply, context);
    },
  );
  addPost(
    api,
    "/api/v0/price/:item_hash/recalculate",
    {
      ...DESCRIPTION,
      summary: "Compute the cost of a message anew",
      response: RECALCULATED,
      refusals: [
        "API_UNAUTHORIZED",
        "API_INVALID_HASH",
        "API_BAD_REQUEST",
        "API_NOT_FOUND",
        "API_MESSAGE_PENDING",
        "API_GONE",
      ],
    },
    (request, reply) => {
      assertAuthorised(request);
      return recalculateOne(request, reply, context);
    },
  );
  addPlainGet(
    api,
    "/api/v1/price/recalculation",
    { cost: "point", tag: "Prices", summary: "The last recalculation of all costs", response: JOB_STATE },
    (request, reply) =>
      sendJson(request, reply, JSON.stringify({ job: recalculation.job && jobBody(recalculation.job) })),
  );
}

async function recalculateAll(
  request: FastifyRequest,
  reply: FastifyReply,
  { services }: ApiContext,
): Promise<FastifyReply> {
  const reading = readQuery(PARAMETERS, queryTextOf(request));
  if (!reading.ok) return sendProblems(reply, reading.problems);
  const { recalculation } = services.economy;
  if (recalculation.start(reading.values) === null) {
    throw new ApiError(
      "API_RECALCULATION_RUNNING",
      "409: costs are being computed anew already: see /api/v1/price/recalculation",
      {},
      { "retry-after": String(RETRY_AFTER_SECONDS) },
    );
  }
  const patience = new AbortController();
  const cancel = services.timers.schedule(MAX_WAIT_MS, () => patience.abort());
  await recalculation.settled(AbortSignal.any([patience.signal, disconnectSignal(reply)]));
  cancel();
  const { job } = recalculation;
  if (job === null || job.state === "failed")
    throw new ApiError("API_INTERNAL", "500: costs could not be computed anew: see the log of this node");
  const isOver = job.state === "done";
  const body = isOver
    ? reportBody(job.report, "Costs were computed anew")
    : // How many there are is known with the first report.
      { ...reportBody(job.report, ""), message: "Costs are being computed anew" };
  return sendJson(request, reply.code(isOver ? 200 : 202), JSON.stringify({ ...body, job: jobBody(job) }));
}

async function recalculateOne(
  request: FastifyRequest,
  reply: FastifyReply,
  { services }: ApiContext,
): Promise<FastifyReply> {
  const reading = readQuery(PARAMETERS, queryTextOf(request));
  if (!reading.ok) return sendProblems(reply, reading.problems);
  const itemHash = pathValue(request, "item_hash");
  if (!isAnyItemHash(itemHash)) {
    const shown = itemHash.slice(0, 100);
    throw new ApiError("API_INVALID_HASH", `400: Invalid message hash: ${shown} is not an item hash`);
  }
  const message = await services.reads.billedMessage(itemHash);
  if (message?.status === "forgotten" || message?.status === "removed")
    throw new ApiError("API_GONE", `410: the message is ${message.status} and its price with it`);
  assertPriced(message);
  const report = await services.economy.recalculation.one(itemHash, reading.values);
  return sendJson(request, reply, JSON.stringify(reportBody(report, "The cost was computed anew")));
}

function reportBody(report: RecalculationReport, message: string): Record<string, unknown> {
  const { recalculated, changed, total, priceLists, errors } = report;
  return {
    message: total === 0 ? "No messages with costs were found" : message,
    recalculated_count: recalculated,
    total_messages: total,
    changed_count: changed,
    ...(total === 0 ? {} : { pricing_changes_found: priceLists }),
    ...(errors.length === 0 ? {} : { errors: errors.map(errorOf) }),
  };
}

const errorOf = ({ itemHash, error }: RecalculationReport["errors"][number]) => ({
  item_hash: itemHash,
  error,
});

function jobBody({ id, state, dryRun, startedMicros, endedMicros, report }: RecalculationJob) {
  return {
    id,
    state,
    dry_run: dryRun,
    started_at: formatIsoZ(startedMicros),
    ended_at: endedMicros === null ? null : formatIsoZ(endedMicros),
    total_messages: report.total,
    looked_at: report.looked,
    recalculated_count: report.recalculated,
    changed_count: report.changed,
    errors: report.errors.map(errorOf),
  } satisfies Record<keyof (typeof JOB)["properties"], unknown>;
}
