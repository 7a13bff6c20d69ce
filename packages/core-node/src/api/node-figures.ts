import type { ConnectionFigures } from "./live/connections.ts";
import type { NodeStatus } from "./services.ts";

/** One figure under the name that other nodes, scorers and dashboards read. */
export interface NodeFigure {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly value: number | null;
}

/** The figures of `/metrics` that the network reads. Source: pyaleph `src/aleph/web/controllers/metrics.py`. */
export function nodeFigures(status: NodeStatus, connections: ConnectionFigures): readonly NodeFigure[] {
  const { pendingByType, storeFetch } = status;
  const remaining = (reference: number | null, own: number | null): number | null =>
    reference === null || own === null ? null : Math.max(0, reference - own);
  const gauge = (name: string, value: number | null, help: string): NodeFigure => ({
    name: `pyaleph_${name}`,
    help,
    type: "gauge",
    value,
  });
  const counter = (name: string, value: number, help: string): NodeFigure => ({
    name: `pyaleph_${name}`,
    help,
    type: "counter",
    value,
  });
  return [
    gauge("status_peers_total", status.peers, "Peers of this node."),
    gauge("status_sync_messages_total", status.messages, "Messages stored."),
    gauge("status_sync_permanent_files_total", status.filePins, "File pins."),
    gauge("status_sync_pending_messages_total", status.pendingMessages, "Messages that are queued or wait."),
    gauge("status_sync_pending_txs_total", status.pendingTransactions, "Chain transactions not read yet."),
    gauge(
      "status_chain_eth_last_committed_height",
      status.ethLastCommittedHeight,
      "Ethereum block read last.",
    ),
    gauge("processing_pending_messages_seen_ids_total", null, "Not counted by this node."),
    gauge("processing_pending_messages_tasks_total", status.pendingMessages, "Messages being processed."),
    gauge("processing_pending_messages_action_total", null, "Not counted by this node."),
    ...(["aggregate", "forget", "post", "program", "store"] as const).map((type) =>
      gauge(
        `processing_pending_messages_${type}_tasks`,
        pendingByType[type],
        `Pending messages of type ${type}.`,
      ),
    ),
    gauge(
      "status_sync_messages_reference_total",
      status.referenceMessages,
      "Messages of the reference node.",
    ),
    gauge(
      "status_sync_messages_remaining_total",
      remaining(status.referenceMessages, status.messages),
      "Messages that the reference node has beyond this one.",
    ),
    gauge("status_chain_eth_height_reference_total", status.ethReferenceHeight, "Height of Ethereum."),
    gauge(
      "status_chain_eth_height_remaining_total",
      remaining(status.ethReferenceHeight, status.ethLastCommittedHeight),
      "Ethereum blocks not read yet.",
    ),
    gauge("ws_messages_connections_active", connections.messages.active, "Open message websockets."),
    gauge("ws_messages_connections_max", connections.messages.max, "Limit of message websockets."),
    counter(
      "ws_messages_connections_rejected_total",
      connections.messages.rejected,
      "Message websockets refused.",
    ),
    gauge("ws_status_connections_active", connections.status.active, "Open status websockets."),
    gauge("ws_status_connections_max", connections.status.max, "Limit of status websockets."),
    counter(
      "ws_status_connections_rejected_total",
      connections.status.rejected,
      "Status websockets refused.",
    ),
    counter("ws_messages_broadcast_total", connections.broadcast, "Messages told to websockets."),
    counter("ws_broadcaster_consumer_restarts_total", 0, "Restarts of the websocket feed."),
    ...(["ipfs", "storage"] as const).flatMap((engine) => [
      counter(`store_fetch_${engine}_total`, storeFetch[engine].total, `Files fetched by ${engine}.`),
      counter(
        `store_fetch_${engine}_failed_total`,
        storeFetch[engine].failed,
        `Failed fetches by ${engine}.`,
      ),
      counter(
        `store_fetch_${engine}_duration_ms_sum`,
        storeFetch[engine].durationMs,
        `Time of fetches by ${engine}.`,
      ),
    ]),
  ];
}

/** `/metrics.json`: every figure, null where there is none. */
export function figuresJson(version: string, figures: readonly NodeFigure[]): string {
  return JSON.stringify({
    pyaleph_build_info: buildInfo(version),
    ...Object.fromEntries(figures.map(({ name, value }) => [name, value])),
  });
}

/** The Prometheus text of the figures that have a value. */
export function figuresText(version: string, figures: readonly NodeFigure[]): string {
  const { python_version, version: release } = buildInfo(version);
  const lines = [
    "# HELP pyaleph_build_info Versions of the node and of its runtime.",
    "# TYPE pyaleph_build_info gauge",
    `pyaleph_build_info{python_version=${JSON.stringify(python_version)},version=${JSON.stringify(release)}} 1`,
  ];
  for (const { name, help, type, value } of figures) {
    if (value !== null) lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The runtime stands where readers expect the version of Python. */
function buildInfo(version: string): { python_version: string; version: string } {
  return { python_version: `node ${process.versions.node}`, version };
}
