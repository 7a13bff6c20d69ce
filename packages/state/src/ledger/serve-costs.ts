import { compareVersions } from "../facts.ts";
import type { OwnedCost, Served } from "./ledger-facts.ts";
import type { LedgerRules } from "./ledger-rules.ts";

/** A message in the row of those that the funds of its owner are given to. */
export interface ServedCost extends Served {
  readonly cost: OwnedCost;
  /** The funds do not reach for it, and the network lets it end for that. */
  readonly isShort: boolean;
}

type ServingRules = Pick<LedgerRules, "cutovers" | "freeItemsUncounted" | "sweepSkipsUnaffordable">;

/**
 * Gives the funds of an account to its messages, the oldest first, and says of each what was left for it. In the
 * reference a message that is too dear leaves nothing for those after it; a network may pass over it instead.
 *
 * Source: pyaleph `src/aleph/jobs/cron/balance_job.py`, `src/aleph/jobs/cron/credit_balance_job.py`.
 */
export function serveCosts(
  rules: ServingRules,
  costs: readonly OwnedCost[],
  availableAtto: bigint,
  amountOf: (cost: OwnedCost) => bigint,
): ServedCost[] {
  let takenAtto = 0n;
  let messagesBefore = 0;
  return [...costs].sort(compareVersions).map((cost) => {
    const isCounted = cost.isBilled || !rules.freeItemsUncounted;
    const neededAtto = isCounted ? amountOf(cost) : 0n;
    const isShort = leftFor({ availableAtto, takenAtto }) < neededAtto && mayEnd(rules, cost);
    const served = { cost, isShort, availableAtto, messagesBefore, takenAtto, neededAtto };
    if (isCounted && !(isShort && rules.sweepSkipsUnaffordable)) {
      takenAtto += neededAtto;
      messagesBefore += 1;
    }
    return served;
  });
}

/** What is left of the funds for a message: nothing where those before it took more than there is. */
export function leftFor({ availableAtto, takenAtto }: Pick<Served, "availableAtto" | "takenAtto">): bigint {
  return availableAtto > takenAtto ? availableAtto - takenAtto : 0n;
}

/**
 * Where a network dates the end of free files by a block, only what is confirmed at that height or later can be
 * removed for want of tokens, and only what is confirmed at all for want of credits.
 */
function mayEnd({ cutovers }: Pick<LedgerRules, "cutovers">, cost: OwnedCost): boolean {
  const { paidFilesFromHeight } = cutovers;
  if (paidFilesFromHeight === null) return true;
  if (cost.confirmedHeight === null) return false;
  return cost.paymentType === "credit" || cost.confirmedHeight >= BigInt(paidFilesFromHeight.height);
}
