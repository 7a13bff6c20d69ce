import { type Random, shuffled } from "@twentysix/platform";
import type { Durability } from "@twentysix/protocol";
import { happens } from "./random-for.ts";

/** How much is simulated; what happens in it is drawn from the seed. */
export interface StormSize {
  readonly nodes: number;
  readonly messages: number;
  /** How long faults happen, and messages come. */
  readonly stormMs: number;
}

export const FAULT_NAMES = ["weather", "partitions", "clockSkew", "gossipFloods", "crashes"] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

/** What happens in one seed. Not every fault in each: one may hide what another does. */
export interface StormPlan extends StormSize {
  readonly liars: number;
  readonly faults: readonly FaultName[];
  readonly durability: Durability;
  /** More of them could lose every copy of a file, which would be nobody's fault. */
  readonly maxDiskLosses: number;
  readonly maxFileBytes: number;
  /** Longest time after the storm until all honest nodes agree. */
  readonly convergeMs: number;
}

const LEFT_OUT_PER_MILLE = 200;
const CONVERGE_MS = 3_600_000;
const AUDIT_SECONDS = 60;
const OUTAGE_SECONDS = 20;
const SHARDS = { dataShards: 2, totalShards: 4, minFileBytes: 16 * 1024 };
const SPARE_SHARDS = SHARDS.totalShards - SHARDS.dataShards;
const SHARDED_PER_MILLE = 400;
const LARGEST_FILES = [64 * 1024, 1024 * 1024, 6 * 1024 * 1024];

export function planOf(random: Random, size: StormSize): StormPlan {
  const copies = [null, null, 2, 3, 3][random.uniform(5)] ?? null;
  const isSharded = copies !== null && size.nodes >= SHARDS.totalShards && happens(random, SHARDED_PER_MILLE);
  const mostLiars = Math.floor((size.nodes - 1) / 4);
  return {
    ...size,
    liars: random.uniform(mostLiars + 1),
    faults: shuffled(random, FAULT_NAMES).filter(() => !happens(random, LEFT_OUT_PER_MILLE)),
    durability: {
      ...{ copies, auditSeconds: AUDIT_SECONDS, outageSeconds: OUTAGE_SECONDS },
      ...(isSharded ? { erasure: SHARDS } : {}),
    },
    maxDiskLosses:
      copies === null ? Number.MAX_SAFE_INTEGER : Math.min(copies - 1, isSharded ? SPARE_SHARDS : copies),
    maxFileBytes: LARGEST_FILES[random.uniform(LARGEST_FILES.length)] ?? 1024,
    convergeMs: CONVERGE_MS,
  };
}
