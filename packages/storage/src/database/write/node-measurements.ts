import type { Change, NodeMeasurement } from "@twentysix/state";
import type { WriterSession } from "./writer-session.ts";

/** Kinds of nodes; the position is what the database stores. */
const KINDS = ["core", "compute"] as const;

/** What a scoring POST says of nodes, null when it says nothing. */
export function loadMeasurements(session: WriterSession, hash: string): NodeMeasurement[] | null {
  const id = session.findItem(hash);
  if (id === null) return null;
  const rows = session.connection.allBig<{
    kind: bigint;
    node_id: string;
    measured_us: bigint;
    metrics: string;
  }>("SELECT kind, node_id, measured_us, metrics FROM node_metrics WHERE item_id = ?", id);
  if (rows.length === 0) return null;
  return rows.map((row) => ({
    kind: KINDS[Number(row.kind)] ?? "core",
    nodeId: row.node_id,
    measuredMicros: row.measured_us,
    metricsText: row.metrics,
  }));
}

/** Writes the measurements that a scoring POST brings, or takes them away with it. */
export function saveMeasurements(session: WriterSession, change: Change<readonly NodeMeasurement[]>): void {
  const id = session.itemId(change.key);
  if (change.before !== null) session.connection.run("DELETE FROM node_metrics WHERE item_id = ?", id);
  for (const { kind, nodeId, measuredMicros, metricsText } of change.after ?? []) {
    session.connection.run(
      "INSERT INTO node_metrics (kind, node_id, measured_us, item_id, metrics) VALUES (?, ?, ?, ?, ?)",
      KINDS.indexOf(kind),
      nodeId,
      measuredMicros,
      id,
      metricsText,
    );
  }
}
