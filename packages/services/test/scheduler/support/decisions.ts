import assert from "node:assert/strict";
import { makePlan } from "../../../src/scheduler/planner/plan.ts";
import type { Decision, PlanInput, PlanNode, PlanVm } from "../../../src/scheduler/planner/plan-input.ts";
import { NOW_MS, planInput } from "./plan-inputs.ts";

/** What is decided of one machine. */
export const decide = (vm: PlanVm, nodes: readonly PlanNode[], more: Partial<PlanInput> = {}): Decision => {
  const [decision] = makePlan(planInput([vm], nodes, more)).decisions;
  assert.ok(decision !== undefined);
  return decision;
};

export const withReport = (node: PlanNode, report: Partial<NonNullable<PlanNode["report"]>>): PlanNode => ({
  ...node,
  report: node.report === null ? null : { ...node.report, ...report },
});

export const withCapabilities = (
  node: PlanNode,
  capabilities: Partial<NonNullable<PlanNode["capabilities"]>>,
): PlanNode => ({
  ...node,
  capabilities: node.capabilities === null ? null : { ...node.capabilities, ...capabilities },
});

export const withRegistration = (
  node: PlanNode,
  registration: Partial<PlanNode["registration"]>,
): PlanNode => ({
  ...node,
  registration: { ...node.registration, ...registration },
});

export const gpu = {
  vendor: "NVIDIA",
  model: "",
  deviceName: "AD102",
  deviceClass: "0300",
  deviceId: "10de:26b1",
};
export const wishes = {
  spreadWith: [],
  countries: [],
  excludedAsns: [],
  hasColdRestart: false,
  maxPriceFactor: null,
};
/** Of a node that does not answer any more, and whose machines have ended. */
export const SILENT = {
  status: "Unreachable",
  lastProofMs: NOW_MS - 60_000,
  fencedAtMs: NOW_MS - 1,
} as const;
