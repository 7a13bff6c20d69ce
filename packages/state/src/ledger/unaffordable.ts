import { compareVersions } from "../facts.ts";
import type { OwnedCost } from "./ledger-facts.ts";
import type { LedgerRules } from "./ledger-rules.ts";

/**
 * Which messages funds do not reach for, the oldest served first. In the reference a message that is too dear
 * leaves nothing for those after it; a network may pass over it instead.
 *
 * Source: pyaleph `src/aleph/jobs/cron/balance_job.py`, `src/aleph/jobs/cron/credit_balance_job.py`.
 */
export function unaffordable(
  rules: Pick<LedgerRules, "cutovers" | "freeItemsUncounted" | "sweepSkipsUnaffordable">,
  costs: readonly OwnedCost[],
  availableAtto: bigint,
  amountOf: (cost: OwnedCost) => bigint,
): OwnedCost[] {
  let remaining = availableAtto;
  const short: OwnedCost[] = [];
  for (const cost of [...costs].sort(compareVersions)) {
    if (rules.freeItemsUncounted && !cost.isBilled) continue;
    const amount = amountOf(cost);
    const isShort = remaining < amount && mayEnd(rules, cost);
    if (isShort && cost.isRemovable) short.push(cost);
    if (isShort && rules.sweepSkipsUnaffordable) continue;
    remaining = remaining > amount ? remaining - amount : 0n;
  }
  return short;
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
