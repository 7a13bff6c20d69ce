import { Counter, Gauge, type Registry } from "prom-client";
import type { SyncStatistics } from "./sync-options.ts";
import { SYNC_STATES, type SyncStatus } from "./sync-progress.ts";

export interface MeasuredSync {
  status(): SyncStatus;
  /** null where the node keeps to itself. */
  statistics(): SyncStatistics | null;
}

/** Metrics of the visits to other nodes; each has its unit in its name. */
export function addSyncMetrics(registry: Registry, { status, statistics }: MeasuredSync): void {
  new Gauge({
    name: "twentysix_sync_state",
    help: "1 for the state that this node is in",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      for (const state of SYNC_STATES) this.set({ state }, status().state === state ? 1 : 0);
    },
  });
  new Gauge({
    name: "twentysix_sync_progress_ratio",
    help: "Share of the messages of a peer that this node has, while it catches up",
    registers: [registry],
    collect() {
      const { state, percent } = status();
      this.set(state === "ready" ? 1 : (percent ?? 0) / 100);
    },
  });
  for (const [name, help, read] of COUNTERS) {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        const now = statistics();
        this.inc(now === null ? 0 : read(now));
      },
    });
  }
}

const COUNTERS: readonly (readonly [name: string, help: string, read: (now: SyncStatistics) => number])[] = [
  ["twentysix_sync_visits_total", "Visits to peers since the start", ({ visits }) => visits],
  ["twentysix_sync_failed_visits_total", "Those that failed", ({ failedVisits }) => failedVisits],
  ["twentysix_sync_faults_total", "Times that a peer broke the rules of a visit", ({ faults }) => faults],
  ["twentysix_sync_taken_messages_total", "Messages that visits brought", ({ taken }) => taken],
  [
    "twentysix_sync_overhead_bytes_total",
    "Bytes of own visits, bodies of messages left out",
    ({ overheadBytes }) => overheadBytes,
  ],
  ["twentysix_sync_body_bytes_total", "Bytes of bodies of messages", ({ bodyBytes }) => bodyBytes],
];
