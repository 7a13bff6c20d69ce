import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  memberOf,
  microsOfSeconds,
  parseJson,
  stringifyJson,
} from "@twentysix/protocol";
import type { LiveMessage, NodeMeasurement } from "../facts.ts";
import type { PreparedMessage } from "../prepared.ts";
import type { StateContext } from "../rules.ts";
import type { Need, World } from "../world.ts";

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
const LISTS = { core: "ccn", compute: "crn" } as const;
const KINDS = ["core", "compute"] as const;

/** What must be known before another copy of a POST may bring measurements. */
export function metricsNeeds(context: StateContext, hash: string, live: LiveMessage): Need[] {
  return isScoring(context, live.owner, live.label) ? [{ table: "metrics", key: hash }] : [];
}

/**
 * A POST of the scoring authority on its channel fills the measurements of nodes. The channel is not signed, so
 * one copy on it is enough, and no other copy takes the measurements away.
 * Source: pyaleph `src/aleph/handlers/content/post.py`, `src/aleph/db/accessors/metrics.py`.
 */
export function applyMetrics(world: World, context: StateContext, message: PreparedMessage): void {
  const { envelope, content } = message;
  if (envelope.type !== "POST" || !isScoring(context, content.owner, content.label)) return;
  if (envelope.channel !== context.rules.scoring.channel) return;
  world.facts.metrics.load(envelope.itemHash, null);
  if (world.facts.metrics.get(envelope.itemHash) !== null) return;
  const measurements = measurementsOf(message.contentText ?? envelope.itemContent ?? "");
  if (measurements.length > 0) world.facts.metrics.set(envelope.itemHash, measurements);
}

function isScoring(context: StateContext, owner: string, label: string | null): boolean {
  const { addresses, postType } = context.rules.scoring;
  return label === postType && addresses.includes(owner);
}

/** The entries that name a node and a time; a column that is no number becomes null. The last of two equal ones counts. */
function measurementsOf(contentText: string): NodeMeasurement[] {
  const metrics = memberPath(contentText, "content", "metrics");
  if (metrics === null) return [];
  const found = new Map<string, NodeMeasurement>();
  for (const kind of KINDS) {
    const entries = memberOf(metrics, LISTS[kind]);
    if (!Array.isArray(entries)) continue;
    for (const entry of entries as readonly JsonValue[]) {
      const measurement = isJsonObject(entry) ? measurementOf(kind, entry) : null;
      if (measurement === null) continue;
      found.set(
        JSON.stringify([kind, measurement.nodeId, measurement.measuredMicros.toString()]),
        measurement,
      );
    }
  }
  return [...found.values()];
}

function memberPath(text: string, ...path: readonly string[]): JsonObject | null {
  const parsed = parseJson(text);
  let value: JsonValue | undefined = parsed.ok ? parsed.value : undefined;
  for (const key of path) value = isJsonObject(value) ? memberOf(value, key) : undefined;
  return isJsonObject(value) ? value : null;
}

/** Latest time that a node's date can hold: the year 9999. */
const MAX_SECONDS = 253_402_300_800;

function measurementOf(kind: NodeMeasurement["kind"], entry: JsonObject): NodeMeasurement | null {
  const nodeId = memberOf(entry, "node_id");
  const measuredAt = memberOf(entry, "measured_at");
  if (typeof nodeId !== "string" || nodeId === "" || typeof measuredAt !== "number") return null;
  if (!(measuredAt >= 0 && measuredAt < MAX_SECONDS)) return null;
  const columns = COLUMNS[kind].map((name) => [name, numberOf(memberOf(entry, name))] as const);
  const metricsText = stringifyJson(Object.fromEntries(columns));
  return { kind, nodeId, measuredMicros: microsOfSeconds(measuredAt), metricsText };
}

function numberOf(value: JsonValue | undefined): JsonValue {
  return typeof value === "number" || typeof value === "bigint" ? value : null;
}
