import { formatAtto, type JsonObject } from "@twentysix/protocol";
import type { ComputeNodeRecord, CoreNodeRecord } from "./node-records.ts";
import type { Registry } from "./registry.ts";

/** The content of the aggregate by which nodes know each other: amounts are tokens. */
export function corechannelContent({
  coreNodes,
  computeNodes,
}: Pick<Registry, "coreNodes" | "computeNodes">): JsonObject {
  return {
    nodes: [...coreNodes.values()].map(coreNodeJson),
    resource_nodes: [...computeNodes.values()].map(computeNodeJson),
  };
}

function coreNodeJson(node: CoreNodeRecord): JsonObject {
  const stakers = [...node.stakers].map(([address, atto]) => [address, tokensOf(atto)] as const);
  return {
    ...sharedJson(node),
    stakers: Object.fromEntries(stakers),
    total_staked: tokensOf(node.totalStakedAtto),
    status: node.isActive ? "active" : "waiting",
    resource_nodes: node.computeNodes,
    has_bonus: node.hasBonus,
  };
}

function computeNodeJson(node: ComputeNodeRecord): JsonObject {
  return {
    ...sharedJson(node),
    type: node.type,
    status: node.parent === null ? "waiting" : "linked",
    parent: node.parent,
  };
}

function sharedJson(node: CoreNodeRecord | ComputeNodeRecord): JsonObject {
  return {
    hash: node.hash,
    owner: node.owner,
    time: node.timeSeconds,
    score: node.score,
    decentralization: node.decentralization,
    performance: node.performance,
    inactive_since: node.inactiveSince,
    ...node.fields,
    ...(node.isScored ? { score_updated: true } : {}),
  };
}

/** The double that is nearest to the exact amount. */
const tokensOf = (atto: bigint): number => Number(formatAtto(atto));
