import type { RuleContext } from "./eligibility.ts";
import type { NodeRoom } from "./node-room.ts";
import type { PlanNode, PlanVm } from "./plan-input.ts";

/** What a rank is made of that is the same for all machines, or for all that ask for as rare hardware. */

/** Its score was zero for too long. */
export const isBad = (
  { zeroScoreSinceMs }: PlanNode,
  { nowMs, settings }: Pick<RuleContext, "nowMs" | "settings">,
): boolean => zeroScoreSinceMs !== null && nowMs - zeroScoreSinceMs >= settings.placement.zeroScoreMs;

/** It has hardware that the machine does not ask for, and few nodes have. */
export const isRareFor = (
  { gpus, confidential }: Pick<PlanVm["facts"], "gpus" | "confidential">,
  { hasGpu, node }: NodeRoom,
): boolean =>
  (gpus.length === 0 && hasGpu) || (confidential === null && node.capabilities?.hasConfidential === true);

export const scoreOf = ({ registration }: PlanNode): number => registration.score ?? 0;

export const priceOf = ({ capabilities }: PlanNode): number => capabilities?.priceFactor ?? 1;
