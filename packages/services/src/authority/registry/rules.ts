import type { NetworkDefinition } from "@twentysix/protocol";

/** What the registry of a network goes by. Amounts are units of 10^-18 of a token. */
export interface RegistryRules {
  readonly nodeAtto: bigint;
  readonly stakeAtto: bigint;
  readonly activationAtto: bigint;
  readonly maxLinkedNodes: number;
  /** Several nodes may name the same host. */
  readonly sharedHosts: boolean;
  /** Nodes that were made below this height of the chain have the bonus; null: none has. */
  readonly bonusBeforeHeight: number | null;
  /** When compute nodes that scored nothing for long, and have no parent, leave; null: never. */
  readonly removal: { readonly fromHeight: number; readonly inactiveBlocks: number } | null;
  /** Scores of these heights are passed over, both included; null: all count. */
  readonly ignoredScores: { readonly fromHeight: number; readonly toHeight: number } | null;
}

const ATTO = 10n ** 18n;

export function registryRules({
  authorities: { registry },
}: Pick<NetworkDefinition, "authorities">): RegistryRules {
  const { nodeTokens, stakeTokens, activationTokens, ...rules } = registry.rules;
  return {
    ...rules,
    nodeAtto: BigInt(nodeTokens) * ATTO,
    stakeAtto: BigInt(stakeTokens) * ATTO,
    activationAtto: BigInt(activationTokens) * ATTO,
  };
}
