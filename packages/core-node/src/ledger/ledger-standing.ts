import { formatAtto } from "@twentysix/protocol";
import {
  type AccountFact,
  type CostFact,
  compareVersions,
  creditsAt,
  fetchMissing,
  type LedgerRules,
  type Need,
  type OwnedCost,
  type RemovalFact,
  World,
  wasPublishedSince,
} from "@twentysix/state";
import type { FactReader } from "@twentysix/storage/reader";
import type { StandingReport } from "./payment-report.ts";
import { reportAccount, reportAmounts, reportLine } from "./report-amounts.ts";

const ATTO = 10n ** 18n;

interface Known {
  readonly cost: CostFact;
  readonly removal: RemovalFact | null;
  readonly account: AccountFact;
  readonly credits: bigint;
  /** Of the owner, in canonical order. */
  readonly costs: readonly OwnedCost[];
  readonly isConfirmed: boolean;
}

/**
 * What a live message costs since it was accepted, and what is left for it of its owner's funds once everything
 * before it in canonical order is paid for. null for what costs nothing.
 */
export async function standingOf(
  facts: Pick<FactReader, "snapshot">,
  rules: LedgerRules,
  itemHash: string,
  nowMicros: bigint,
): Promise<StandingReport | null> {
  const known = await knownOf(facts, itemHash, nowMicros);
  if (known === null) return null;
  const { cost, removal, account, credits, costs, isConfirmed } = known;
  const amountOf = ({ holdAtto, creditAttoPerSecond }: OwnedCost | CostFact): bigint =>
    cost.paymentType === "credit" ? creditAttoPerSecond * rules.creditRuntimeSeconds : holdAtto;
  const available = cost.paymentType === "credit" ? credits * ATTO : account.tokensAtto;
  const self = { hash: itemHash, timeMicros: cost.timeMicros };
  const before = costs.filter(
    (other) =>
      other.paymentType === cost.paymentType &&
      !other.isMarked &&
      (other.isBilled || !rules.freeItemsUncounted) &&
      compareVersions(other, self) < 0,
  );
  const taken = before.reduce((sum, other) => sum + amountOf(other), 0n);
  return {
    owner: cost.owner,
    paymentType: cost.paymentType,
    priceList: cost.priceListHash,
    lines: cost.lines.map(reportLine),
    total: reportAmounts(cost),
    isBilled: cost.isBilled,
    isRemovable: cost.isRemovable,
    account: reportAccount(account, credits),
    runtimeSeconds: Number(rules.creditRuntimeSeconds),
    before: { messages: before.length, amount: formatAtto(taken) },
    needed: formatAtto(amountOf(cost)),
    left: formatAtto(available > taken ? available - taken : 0n),
    removal: removal === null ? null : { ...removal, isConfirmed },
  };
}

async function knownOf(
  facts: Pick<FactReader, "snapshot">,
  itemHash: string,
  nowMicros: bigint,
): Promise<Known | null> {
  return await facts.snapshot(async (load) => {
    const world = new World();
    const fetch = (needs: readonly Need[]) =>
      fetchMissing(world, needs, (missing) => load(world, missing) as undefined);
    await fetch([
      { table: "costs", key: itemHash },
      { table: "removals", key: itemHash },
      { table: "publications", key: "balances" },
      { table: "publications", key: "credits" },
    ]);
    const cost = world.facts.costs.get(itemHash);
    if (cost === null) return null;
    const { owner } = cost;
    await fetch([
      { table: "accounts", key: owner },
      { table: "lots", key: owner },
      { table: "ownedCosts", key: owner },
    ]);
    const account = world.facts.accounts.get(owner);
    if (account === null) throw new Error(`${itemHash} has a cost and its owner no account`);
    const removal = world.facts.removals.get(itemHash);
    return {
      cost,
      removal,
      account,
      credits: creditsAt(world.facts.lots.get(owner) ?? [], nowMicros),
      costs: world.index.ownedCosts.get(owner) ?? [],
      isConfirmed: removal !== null && wasPublishedSince(world, removal),
    };
  });
}
