import { decodeItemHash } from "@twentysix/protocol";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dialect } from "../../sql/dialect.ts";
import { isText } from "../../sql/is-text.ts";
import type { NodeMetricsPage, NodeMetricsQuery, NodeMetricsRow } from "../node-metrics-views.ts";

const metricsOf = (
  dialect: Dialect,
): string => `SELECT n.measured_us, n.metrics, i.hash FROM node_metrics AS n CROSS JOIN items AS i
  WHERE n.kind = ? AND ${isText({ dialect }, "n.node_id")} AND n.measured_us >= ? AND n.measured_us <= ? AND i.id = n.item_id`;
/** Scores of one node in one answer: more than two years of hourly ones. */
const MAX_METRICS = 20_000;
const METRIC_KINDS = { core: 0, compute: 1 } as const;

/** Scores of one node in a window of time, in whole moments: those of one moment are never parted. */
export function nodeMetrics(connection: SqlConnection, query: NodeMetricsQuery): NodeMetricsPage {
  const order = query.direction === "desc" ? "DESC" : "ASC";
  const found = connection.allBig<{ measured_us: bigint; metrics: string; hash: Uint8Array }>(
    `${metricsOf(connection.dialect)} ORDER BY n.measured_us ${order}, i.hash LIMIT ${MAX_METRICS + 1}`,
    METRIC_KINDS[query.kind],
    query.nodeId,
    query.nodeId,
    query.startMicros,
    query.endMicros,
  );
  const nextMicros = found[MAX_METRICS]?.measured_us ?? null;
  const rows = found.filter(({ measured_us: measuredMicros }) => measuredMicros !== nextMicros);
  return { rows: rows.map(rowOf), nextMicros };
}

function rowOf(row: { measured_us: bigint; metrics: string; hash: Uint8Array }): NodeMetricsRow {
  return {
    itemHash: decodeItemHash(row.hash),
    measuredMicros: row.measured_us,
    metricsJson: row.metrics,
  };
}
