import type { Direction, JsonText } from "./types.ts";

export interface NodeMetricsQuery {
  readonly kind: "core" | "compute";
  readonly nodeId: string;
  /** Both inclusive. */
  readonly startMicros: bigint;
  readonly endMicros: bigint;
  readonly direction: Direction;
}

export interface NodeMetricsRow {
  readonly itemHash: string;
  readonly measuredMicros: bigint;
  readonly metricsJson: JsonText;
}

export interface NodeMetricsPage {
  readonly rows: readonly NodeMetricsRow[];
  /** The window has more, from this moment on (or back): a bound of the next query. null: these are all. */
  readonly nextMicros: bigint | null;
}
