import type { NodeRecord } from "../../../src/scheduler/model/node.ts";
import type { PlanNode } from "../../../src/scheduler/planner/plan-input.ts";
import { SchedulerDatabase } from "../../../src/scheduler/state/database.ts";
import { SchedulerStore } from "../../../src/scheduler/state/store.ts";
import { NOW_MS } from "./plan-inputs.ts";

/** A store that is gone with the test. */
export const memoryStore = (nowMs: () => number = () => NOW_MS): SchedulerStore =>
  new SchedulerStore(new SchedulerDatabase(":memory:"), nowMs);

/** A node as the store has it. */
export const nodeRecord = (
  { registration, report, capabilities }: PlanNode,
  more: Partial<NodeRecord> = {},
): NodeRecord => ({
  registration,
  order: 1,
  discoveredAtMs: NOW_MS,
  isRegistered: true,
  unlinkedSinceMs: null,
  zeroScoreSinceMs: null,
  report,
  capabilities,
  observations: {},
  isPolled: true,
  isUnreachable: false,
  pushMode: "v1",
  isRefusing: false,
  updatedAtMs: NOW_MS,
  ...more,
});
