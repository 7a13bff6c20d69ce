export { type BatchEntry, type FetchFacts, runBatch } from "./batch.ts";
export type * from "./facts.ts";
export { compareVersions } from "./facts.ts";
export { refusalOfForgotten } from "./forgotten-copy.ts";
export { NO_GRACE, tagOf } from "./handlers/store.ts";
export type { Outcome } from "./outcome.ts";
export type * from "./prepared.ts";
export { compareCopies, signedByOwner } from "./rank-copies.ts";
export type { PriceCheck, PriceRequest, PriceVerdict, StateContext, StateRules } from "./rules.ts";
export type { Skeleton } from "./skeletons.ts";
export type { Change } from "./table.ts";
export {
  type AggregateElement,
  type FactsTableName,
  type IndexTableName,
  type ItemEvent,
  type Need,
  pairKey,
  type RequeuedCopy,
  splitPairKey,
  type TagPin,
  World,
} from "./world.ts";
