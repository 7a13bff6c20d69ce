import type { StateContext } from "../rules.ts";
import { missingFacts, type Need, type World } from "../world.ts";
import { ATTO, accountOf, nextLookMicros } from "./accounts.ts";
import { settleLots } from "./credit-entries.ts";
import type { OwnedCost, RemovalFact } from "./ledger-facts.ts";
import type { LedgerRules } from "./ledger-rules.ts";
import { creditsAt } from "./lots.ts";
import { endRemoval, markRemoval, removalNeeds, removeMessage, wasPublishedSince } from "./removals.ts";
import { unaffordable } from "./unaffordable.ts";

/** An overdue removal that waits for a publication is looked at again after this time. */
const RETRY_MICROS = 3_600_000_000n;

/**
 * Decides which messages of an account it can pay for: marks those that it cannot, takes the mark from those that
 * it can again, and removes those whose time is over. Gives what must be known first; nothing once it is done.
 *
 * The messages are looked at in canonical order, so the latest lose. An account that two parts of a network have
 * let commit itself twice is treated the same.
 */
export function sweepAccount(world: World, context: StateContext, owner: string): Need[] {
  const { ledger } = context.rules;
  if (ledger === null) return [];
  const missing = missingFacts(world, [
    { table: "accounts", key: owner },
    { table: "lots", key: owner },
    { table: "ownedCosts", key: owner },
    { table: "publications", key: "balances" },
    { table: "publications", key: "credits" },
  ]);
  if (missing.length > 0) return missing;
  const unsettled = settleLots(world, owner);
  if (unsettled.length > 0) return unsettled;
  const short = shortOf(world, ledger, owner, context.nowMicros);
  const changing = changesOf(world, owner, short);
  const needs = missingFacts(world, removalNeeds(world, context, [...changing.short, ...changing.recovered]));
  if (needs.length > 0) return needs;
  apply(world, context, ledger, owner, changing);
  schedule(world, owner, changing.short, context.nowMicros);
  return [];
}

interface Short {
  readonly cost: OwnedCost;
  readonly reason: RemovalFact["reason"];
}

interface Changes {
  readonly short: readonly Short[];
  readonly recovered: readonly Short[];
}

/** What the account cannot pay for at this moment, by what it pays with. */
function shortOf(world: World, rules: LedgerRules, owner: string, nowMicros: bigint): Short[] {
  const costs = world.index.ownedCosts.get(owner) ?? [];
  const tokensAtto = accountOf(world, owner).tokensAtto;
  const creditsAtto = creditsAt(world.facts.lots.get(owner) ?? [], nowMicros) * ATTO;
  const perDay = (cost: OwnedCost): bigint => cost.creditAttoPerSecond * rules.creditRuntimeSeconds;
  const held = costs.filter(({ paymentType }) => paymentType === "hold");
  const credited = costs.filter(({ paymentType }) => paymentType === "credit");
  return [
    ...unaffordable(rules, held, tokensAtto, ({ holdAtto }) => holdAtto).map(
      (cost): Short => ({ cost, reason: "balance_insufficient" }),
    ),
    ...unaffordable(rules, credited, creditsAtto, perDay).map(
      (cost): Short => ({ cost, reason: "credit_insufficient" }),
    ),
  ];
}

/** Of what is short everything, and what was marked and is not short any more. */
function changesOf(world: World, owner: string, short: readonly Short[]): Changes {
  const names = new Set(short.map(({ cost }) => cost.hash));
  const recovered = (world.index.ownedCosts.get(owner) ?? [])
    .filter((cost) => cost.isMarked && !names.has(cost.hash))
    .map((cost): Short => ({ cost, reason: "balance_insufficient" }));
  return { short, recovered };
}

function apply(
  world: World,
  context: StateContext,
  rules: LedgerRules,
  owner: string,
  { short, recovered }: Changes,
): void {
  for (const { cost } of recovered) endRemoval(world, owner, cost.hash);
  for (const { cost, reason } of short) {
    const removal = world.facts.removals.get(cost.hash);
    if (removal === null) markRemoval(world, context, rules, owner, cost.hash, reason);
    else if (removal.deleteByMicros <= context.nowMicros && wasPublishedSince(world, removal))
      removeMessage(world, context, rules, owner, cost.hash, removal);
  }
  if (short.length + recovered.length > 0) world.index.ownedCosts.unload(owner);
}

/** The next look at the account, if nothing happens before: the next expiry, or the end of a grace. */
function schedule(world: World, owner: string, short: readonly Short[], nowMicros: bigint): void {
  const account = accountOf(world, owner);
  let next = nextLookMicros(world, owner, account, nowMicros);
  for (const { cost } of short) {
    const removal = world.facts.removals.get(cost.hash);
    if (removal === null) continue;
    const due = removal.deleteByMicros > nowMicros ? removal.deleteByMicros : nowMicros + RETRY_MICROS;
    if (next === null || due < next) next = due;
  }
  world.facts.accounts.set(owner, { ...account, nextEventMicros: next });
  world.touchedAccounts.delete(owner);
}
