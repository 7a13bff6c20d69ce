import { effectiveSwitches, type NetworkDefinition } from "@twentysix/protocol";
import type { LedgerRules, StateRules } from "@twentysix/state";

/** Distinct valid copies kept of one message: anyone can make more by changing what no signature covers. */
const MAX_COPIES = 8;
const MICROS_PER_HOUR = 3_600_000_000n;
/** A week: nodes that were cut off that long catch up by reconciliation, whatever they missed. */
const FINALITY_WINDOW_HOURS = 168n;

/** The rules of state of a network, on this node. */
export function stateRulesOf(definition: NetworkDefinition, gracePeriodMs: number): StateRules {
  const switches = effectiveSwitches(definition.switches);
  const { addresses, channel, metricsPostType } = definition.authorities.scoring;
  return {
    canonicalOrder: switches.canonicalOrder,
    anyCidV1: switches.anyCidV1,
    securityAggregateOwnerOnly: switches.securityAggregateOwnerOnly,
    idempotentForget: switches.idempotentForget,
    ownerForgetsUsedFiles: switches.ownerForgetsUsedFiles,
    vmReplacesOwnerCheck: switches.vmReplacesOwnerCheck,
    vprogramReferencesChecked: switches.vprogramReferencesChecked,
    removedMayReturn: switches.removedMayReturn,
    gracePeriodMicros: BigInt(gracePeriodMs) * 1_000n,
    maxCopies: MAX_COPIES,
    finalityWindowMicros: FINALITY_WINDOW_HOURS * MICROS_PER_HOUR,
    scoring: { addresses, channel, postType: metricsPostType },
    prices: definition.authorities.prices,
    acceptedBefore: false,
    ledger: ledgerRulesOf(definition),
  };
}

/** What of the definition decides about money. */
function ledgerRulesOf(definition: NetworkDefinition): LedgerRules {
  const { authorities, cutovers, limits } = definition;
  const switches = effectiveSwitches(definition.switches);
  return {
    balances: authorities.balances,
    credits: authorities.credits,
    cutovers,
    freeFileBytes: limits.freeFileBytes,
    creditRuntimeSeconds: BigInt(limits.creditRuntimeSeconds),
    removalGraceMicros: BigInt(limits.removalGraceSeconds) * 1_000_000n,
    observedTimeGates: switches.observedTimeGates,
    freeItemsUncounted: switches.freeItemsUncounted,
    overcommitSwept: switches.overcommitSwept,
    sweepSkipsUnaffordable: switches.sweepSkipsUnaffordable,
    transfersFullyCovered: switches.transfersFullyCovered,
    storesDefaultToCredits: switches.storesDefaultToCredits,
    refusesSecondsExpirations: false,
    isFromNetwork: true,
    fundsKnown: true,
  };
}
