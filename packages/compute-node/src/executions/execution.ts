import type { InstanceContent, ProgramContent } from "@twentysix/protocol";

/** Of machines that are here. */
export const EXECUTION_STATES = [
  "defined",
  "preparing",
  "prepared",
  "starting",
  "running",
  "stopping",
  "stopped",
  "failed",
  "exporting",
  "importing",
] as const;

/**
 * Where a machine is in its life. `failed` keeps its reason and can be started again; `stopped` is what the owner (or
 * its idleness) wanted; `gone` leaves only the record.
 */
export type ExecutionState = (typeof EXECUTION_STATES)[number] | "gone";

/** What shall be: kept over restarts, and reconciled with what is. */
export type DesiredState = "running" | "stopped" | "gone";

/** A machine of this node: one row of its database, which alone says what is true. */
export interface Execution {
  readonly vmHash: string;
  readonly vmNumber: number;
  readonly state: ExecutionState;
  readonly desired: DesiredState;
  /** Why it failed, or was stopped by somebody but its owner; null otherwise. Told to the owner. */
  readonly reason: ExecutionReason | null;
  readonly kind: "program" | "instance";
  /** Kept alive: an instance, or a persistent program that a scheduler has put here. */
  readonly isPersistent: boolean;
  /** Who decided that it runs here. */
  readonly source: "visitor" | "scheduler" | "owner" | "trigger";
  /** `content.address` of its message. */
  readonly owner: string;
  readonly content: ProgramContent | InstanceContent;
  /** With the newest files in place of those that may be replaced. */
  readonly resolved: ProgramContent | InstanceContent;
  readonly mode: "normal" | "rescue";
  readonly times: ExecutionTimes;
}

export interface ExecutionReason {
  /** `IMAGE_DOWNLOAD_FAILED`, `LEASE_EXPIRED`, `PAYMENT_MISSING` … */
  readonly code: string;
  readonly text: string;
  readonly atMs: number;
}

/** Unix time in milliseconds; null: not yet, or not since the last start. */
export interface ExecutionTimes {
  readonly definedAtMs: number;
  readonly preparingAtMs: number | null;
  readonly preparedAtMs: number | null;
  readonly startingAtMs: number | null;
  readonly startedAtMs: number | null;
  readonly stoppingAtMs: number | null;
  readonly stoppedAtMs: number | null;
}
