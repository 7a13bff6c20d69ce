import type { NetworkDefinition } from "@twentysix/protocol";
import type { StateRules } from "@twentysix/state";

/** Distinct valid copies kept of one message: anyone can make more by changing what no signature covers. */
const MAX_COPIES = 8;
const MICROS_PER_HOUR = 3_600_000_000n;

/** The rules of state of a network, on this node. */
export function stateRulesOf(definition: NetworkDefinition, gracePeriodHours: number): StateRules {
  const { switches } = definition;
  return {
    canonicalOrder: switches.canonicalOrder,
    // Judging delegations by canonical order needs delegations that no delegate can write.
    securityAggregateOwnerOnly: switches.securityAggregateOwnerOnly || switches.canonicalOrder,
    idempotentForget: switches.idempotentForget || switches.canonicalOrder,
    ownerForgetsUsedFiles: switches.ownerForgetsUsedFiles,
    vmReplacesOwnerCheck: switches.vmReplacesOwnerCheck || switches.canonicalOrder,
    vprogramReferencesChecked: switches.vprogramReferencesChecked,
    gracePeriodMicros: BigInt(gracePeriodHours) * MICROS_PER_HOUR,
    maxCopies: MAX_COPIES,
    acceptedBefore: false,
  };
}
