import { isJsonObject, type JsonValue, memberOf, parseJson, stringifyJson } from "@twentysix/protocol";
import type { NodeMetricsRow } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ApiContext } from "../context.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { sendJson } from "../http/json-reply.ts";
import { linkNext } from "../http/next-link.ts";
import { addGet, type Call, pathValue } from "../http/route.ts";
import { sendProblems, sendRefusal } from "../http/send-error.ts";
import { choice, decimal } from "../query/parameter.ts";
import { reversedRange } from "../query/ranges.ts";
import { microsOfSeconds } from "../query/times.ts";
import { measurementsSchema } from "../schemas/node.ts";

const DEFAULT_WINDOW_MICROS = 14n * 86_400n * 1_000_000n;

const PARAMETERS = {
  startDate: decimal(["start_date", "startDate"], 0, { minimum: 0 }),
  endDate: decimal(["end_date", "endDate"], 0, { minimum: 0 }),
  sort: choice(["sort"], ["ASC", "ASCENDING", "1", "DESC", "DESCENDING", "-1"], "ASC"),
} as const;

const COLUMNS = {
  core: [
    "base_latency",
    "base_latency_ipv4",
    "metrics_latency",
    "aggregate_latency",
    "file_download_latency",
    "pending_messages",
    "eth_height_remaining",
  ],
  compute: ["base_latency", "base_latency_ipv4", "full_check_latency", "diagnostic_vm_latency"],
} as const;

/** What the scoring service measured of a node, as parallel arrays. Source: pyaleph `src/aleph/db/accessors/metrics.py`. */
export function addNodeMetricsRoutes(api: FastifyInstance, context: ApiContext): void {
  for (const kind of ["core", "compute"] as const) {
    const options = {
      cost: "list" as const,
      tag: "Node",
      summary: `Measurements of a ${kind} node`,
      query: PARAMETERS,
      response: measurementsSchema(COLUMNS[kind]),
      refusals: ["API_NOT_FOUND"] as const,
    };
    addGet(api, `/api/v0/${kind}/:node_id/metrics`, options, (call) => answerMetrics(call, kind, context));
  }
}

async function answerMetrics(
  { request, reply, query }: Call<typeof PARAMETERS>,
  kind: "core" | "compute",
  { services }: ApiContext,
): Promise<FastifyReply> {
  const problems = reversedRange(
    { name: "start_date", value: query.startDate },
    { name: "end_date", value: query.endDate },
  );
  if (problems.length > 0) return sendProblems(reply, problems);
  const endMicros = microsOfSeconds(query.endDate) ?? services.clock.nowMicros();
  const startMicros = microsOfSeconds(query.startDate) ?? endMicros - DEFAULT_WINDOW_MICROS;
  const direction = query.sort.startsWith("A") || query.sort === "1" ? "asc" : "desc";
  const nodeId = pathValue(request, "node_id");
  const { rows, nextMicros } = await services.lists.nodeMetrics(
    { kind, nodeId, startMicros, endMicros, direction },
    { signal: disconnectSignal(reply) },
  );
  if (rows.length === 0) {
    return sendRefusal(
      reply,
      "API_NOT_FOUND",
      "404: Not Found. Nothing was measured of this node in this time",
    );
  }
  const metrics = columns(kind, rows);
  if (nextMicros === null) return sendJson(request, reply, stringifyJson({ metrics }));
  const isAscending = direction === "asc";
  const parameters = {
    start_date: secondsText(isAscending ? nextMicros : startMicros),
    end_date: secondsText(isAscending ? endMicros : nextMicros),
    startDate: null,
    endDate: null,
  };
  linkNext(request, reply, { parameters });
  return sendJson(request, reply, stringifyJson({ metrics, truncated: true }));
}

/** Seconds as a query parameter. Zero would mean that the bound is not given. */
function secondsText(micros: bigint): string {
  const bound = micros > 0n ? micros : 1n;
  return `${bound / 1_000_000n}.${String(bound % 1_000_000n).padStart(6, "0")}`;
}

function columns(kind: "core" | "compute", rows: readonly NodeMetricsRow[]): Record<string, JsonValue> {
  const table: Record<string, JsonValue> = {
    item_hash: rows.map(({ itemHash }) => itemHash),
    measured_at: rows.map(({ measuredMicros }) => Number(measuredMicros) / 1e6),
  };
  const measured = rows.map(({ metricsJson }) => parseJson(metricsJson));
  for (const name of COLUMNS[kind]) {
    table[name] = measured.map((row) =>
      row.ok && isJsonObject(row.value) ? (memberOf(row.value, name) ?? null) : null,
    );
  }
  return table;
}
