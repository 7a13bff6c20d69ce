import type { GpuDevice, VmAddresses } from "./vm.ts";

/** What the registry (or the configuration) says of a compute node. */
export interface NodeRegistration {
  /** Hash of its `create-resource-node` post. */
  readonly nodeHash: string;
  readonly name: string | null;
  readonly owner: string | null;
  /** Base URL as registered; null when blank or invalid. */
  readonly address: string | null;
  readonly isLinked: boolean;
  /** 0 to 1. */
  readonly score: number | null;
  readonly streamReward: string | null;
  readonly termsAndConditions: string | null;
}

/** From `/about/usage/system`. */
export interface NodeReport {
  readonly vcpus: number | null;
  readonly memoryMib: number | null;
  readonly diskMib: number | null;
  readonly freeDiskMib: number | null;
  readonly cpuArchitecture: string | null;
  readonly cpuVendor: string | null;
  readonly cpuFeatures: readonly string[];
  readonly gpus: readonly GpuDevice[];
  readonly freeGpus: readonly GpuDevice[];
  /** What the node itself says it can still take; null where it does not say. */
  readonly headroom: NodeHeadroom | null;
  /** Processors that verifiable programs can be measured on. */
  readonly vcpuTypes: readonly string[];
  /** Where the node says that it is. */
  readonly country: string | null;
  readonly asn: number | null;
}

/** What instances and persistent programs can still take. */
export interface NodeHeadroom {
  readonly vcpus: number;
  readonly instanceMemoryMib: number;
  readonly programMemoryMib: number;
  readonly diskMib: number;
}

/** From `/status/config`. */
export interface NodeCapabilities {
  readonly hasConfidential: boolean;
  readonly hasQemu: boolean;
  readonly hasGpu: boolean;
  /** `2001:db8::/64` */
  readonly ipv6Pool: string | null;
  readonly isIpv6Public: boolean;
  readonly isIpv6Static: boolean;
  readonly paymentReceiver: string | null;
  readonly version: string | null;
  /** What the node asks in relation to the network's price; null: not said. */
  readonly priceFactor: number | null;
}

/** A machine that a node lists, in whatever state. */
export interface Observation {
  readonly isRunning: boolean;
  /** Why the node cannot run it; null: nothing is wrong with it. Nodes of the reference do not say. */
  readonly failure: string | null;
  readonly isAwaitingOwner: boolean;
  readonly addresses: VmAddresses | null;
}

export type NodeStatus = "Healthy" | "Unreachable" | "Unknown" | "removed";

/** A node that the scheduler knows. */
export interface NodeRecord {
  readonly registration: NodeRegistration;
  /** Order in which nodes were first seen; unique. */
  readonly order: number;
  readonly discoveredAtMs: number;
  readonly isRegistered: boolean;
  /** Since when it is not linked (or not registered); null while it is. */
  readonly unlinkedSinceMs: number | null;
  readonly zeroScoreSinceMs: number | null;
  readonly report: NodeReport | null;
  readonly capabilities: NodeCapabilities | null;
  /** Of its last good list; empty once it is unreachable. */
  readonly observations: { readonly [vmHash: string]: Observation };
  /** It was polled with success once. */
  readonly isPolled: boolean;
  readonly isUnreachable: boolean;
  /** Which route takes its list. */
  readonly pushMode: "v1" | "v2";
  /** Does not accept this scheduler's signature. */
  readonly isRefusing: boolean;
  readonly updatedAtMs: number;
}

export function nodeStatusOf(
  node: Pick<NodeRecord, "isRegistered" | "isPolled" | "isUnreachable">,
): NodeStatus {
  if (!node.isRegistered) return "removed";
  if (!node.isPolled) return "Unknown";
  return node.isUnreachable ? "Unreachable" : "Healthy";
}
