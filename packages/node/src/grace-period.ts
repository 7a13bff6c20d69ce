import type { NetworkDefinition } from "@twentysix/protocol";
import type { NodeConfig } from "./config/index.ts";

/** How long this node keeps a file that nothing refers to: what its operator says, else what the network says. */
export function gracePeriodMsOf(config: NodeConfig, { limits }: NetworkDefinition): number {
  const hours = config.storageGracePeriodHours;
  return hours === null ? limits.gracePeriodSeconds * 1_000 : hours * 3_600_000;
}
