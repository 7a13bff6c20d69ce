import type { Reason } from "../model/reason.ts";

/** What is told on the websocket. Source: network-dashboard `src/lib/scheduler-ws.ts`; the last two are ours. */
export type SchedulerEventBody =
  | { readonly type: "VmScheduled"; readonly vmHash: string; readonly nodeHash: string }
  | { readonly type: "VmUnscheduled"; readonly vmHash: string; readonly nodeHash: string }
  | {
      readonly type: "VmMigrated";
      readonly vmHash: string;
      readonly sourceHash: string;
      readonly targetHash: string;
    }
  | { readonly type: "VmUnschedulable"; readonly vmHash: string }
  | {
      readonly type: "VmStatusChanged";
      readonly vmHash: string;
      readonly nodeHash: string | null;
      readonly status: string;
    }
  | { readonly type: "NodeStatusChanged"; readonly nodeHash: string; readonly status: string }
  | { readonly type: "Alarm"; readonly nodeHash: string | null; readonly text: string };

export interface SchedulerEvent {
  readonly seq: number;
  readonly atMs: number;
  readonly reason: Reason | null;
  readonly owner: string | null;
  readonly body: SchedulerEventBody;
}

export type HistoryAction = "scheduled" | "unscheduled" | "migrated_from" | "migrated_to";

/** One change of the node of a machine. */
export interface HistoryRow {
  readonly id: number;
  readonly vmHash: string;
  readonly nodeHash: string;
  readonly action: HistoryAction;
  /** A code, or `code: text`. */
  readonly reason: string | null;
  readonly atMs: number;
}
