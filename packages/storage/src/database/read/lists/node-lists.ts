import { decodeItemHash } from "@twentysix/protocol";
import { COUNTER_CODE } from "../../codes.ts";
import type { SqliteConnection } from "../../sqlite/connection.ts";
import type { Dictionaries } from "../dictionary.ts";
import type { ReadBudget } from "../read-budget.ts";
import type { Direction, JsonText, NodeMetricsQuery, NodeMetricsRow } from "../types.ts";

const CHANNELS = `SELECT DISTINCT a FROM counters WHERE dimension = ${COUNTER_CODE.channel} AND n > 0`;
const TRIGGERS = `SELECT v.triggers, i.hash FROM vms AS v INDEXED BY vms_triggers
  CROSS JOIN items AS i WHERE v.triggers IS NOT NULL AND i.id = v.id
  AND NOT EXISTS (SELECT 1 FROM vms AS newer INDEXED BY vms_original
    WHERE newer.original_id = v.original_id AND (newer.created_us, newer.id) > (v.created_us, v.id))`;
const METRICS = `SELECT n.measured_us, n.metrics, i.hash FROM node_metrics AS n CROSS JOIN items AS i
  WHERE n.kind = ? AND n.node_id = ? AND n.measured_us >= ? AND n.measured_us <= ? AND i.id = n.item_id`;
/** Scores of one node in one answer: more than a year of hourly ones. */
const MAX_METRICS = 20_000;
const METRIC_KINDS = { core: 0, compute: 1 } as const;

/** Channels that have live messages, sorted. */
export function allChannels(connection: SqliteConnection, names: Dictionaries, budget: ReadBudget): string[] {
  const rows = connection.all<{ a: number }>(CHANNELS);
  budget.checkpoint();
  return rows.map(({ a }) => names.channels.nameOf(a)).sort();
}

/** Current programs with message subscriptions, by the time of their message. */
export function programsOnMessage(connection: SqliteConnection, direction: Direction): JsonText[] {
  const order = direction === "desc" ? "DESC" : "ASC";
  return connection
    .all<{ triggers: string; hash: Uint8Array }>(`${TRIGGERS} ORDER BY v.created_us ${order}, i.hash`)
    .map(
      ({ triggers, hash }) =>
        `{"item_hash":"${decodeItemHash(hash)}","content":{"on":{"message":${triggers}}}}`,
    );
}

/** Scores of one node in a window of time. */
export function nodeMetrics(connection: SqliteConnection, query: NodeMetricsQuery): NodeMetricsRow[] {
  const order = query.direction === "desc" ? "DESC" : "ASC";
  return connection
    .allBig<{ measured_us: bigint; metrics: string; hash: Uint8Array }>(
      `${METRICS} ORDER BY n.measured_us ${order}, i.hash LIMIT ${MAX_METRICS}`,
      METRIC_KINDS[query.kind],
      query.nodeId,
      query.startMicros,
      query.endMicros,
    )
    .map((row) => ({
      itemHash: decodeItemHash(row.hash),
      measuredMicros: row.measured_us,
      metricsJson: row.metrics,
    }));
}
