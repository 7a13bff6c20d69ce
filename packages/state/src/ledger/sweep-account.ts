import type { StateContext } from "../rules.ts";
import { missingFacts, type Need, type World } from "../world.ts";
import { ATTO, accountOf, nextLookMicros } from "./accounts.ts";
import { settleLots } from "./credit-entries.ts";
import type { RemovalFact, Shortfall } from "./ledger-facts.ts";
import type { LedgerRules } from "./ledger-rules.ts";
import { creditsAt } from "./lots.ts";
import { endRemoval, markRemoval, removalNeeds, removeMessage } from "./removals.ts";
import { type ServedCost, serveCosts } from "./serve-costs.ts";

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
  const hashes = [...changing.short.map(({ cost }) => cost.hash), ...changing.recovered];
  const needs = missingFacts(world, removalNeeds(world, context, hashes));
  if (needs.length > 0) return needs;
  apply(world, context, ledger, owner, changing);
  schedule(world, owner, changing.short, context.nowMicros);
  return [];
}

interface Short extends ServedCost {
  readonly reason: RemovalFact["reason"];
}

interface Changes {
  readonly short: readonly Short[];
  /** Hashes of messages. */
  readonly recovered: readonly string[];
}

/** What the account cannot pay for at this moment, by what it pays with. */
function shortOf(world: World, rules: LedgerRules, owner: string, nowMicros: bigint): Short[] {
  return (["hold", "credit"] as const).flatMap((paymentType) => {
    const reason =
      paymentType === "hold" ? ("balance_insufficient" as const) : ("credit_insufficient" as const);
    return servedOf(world, rules, owner, paymentType, nowMicros)
      .filter(({ isShort, cost }) => isShort && cost.isRemovable)
      .map((served) => ({ ...served, reason }));
  });
}

/**
 * What is left of an owner's funds for each of the messages that he pays in one way. Needs his account, his lots
 * and what his messages cost.
 */
export function servedOf(
  world: World,
  rules: LedgerRules,
  owner: string,
  paymentType: "hold" | "credit",
  nowMicros: bigint,
): ServedCost[] {
  const costs = (world.index.ownedCosts.get(owner) ?? []).filter((cost) => cost.paymentType === paymentType);
  if (paymentType === "hold")
    return serveCosts(rules, costs, accountOf(world, owner).tokensAtto, ({ holdAtto }) => holdAtto);
  const creditsAtto = creditsAt(world.facts.lots.get(owner) ?? [], nowMicros) * ATTO;
  return serveCosts(
    rules,
    costs,
    creditsAtto,
    (cost) => cost.creditAttoPerSecond * rules.creditRuntimeSeconds,
  );
}

/** Of what is short everything, and what was marked and is not short any more. */
function changesOf(world: World, owner: string, short: readonly Short[]): Changes {
  const names = new Set(short.map(({ cost }) => cost.hash));
  const recovered = (world.index.ownedCosts.get(owner) ?? [])
    .filter((cost) => cost.isMarked && !names.has(cost.hash))
    .map(({ hash }) => hash);
  return { short, recovered };
}

function apply(
  world: World,
  context: StateContext,
  rules: LedgerRules,
  owner: string,
  { short, recovered }: Changes,
): void {
  for (const hash of recovered) endRemoval(world, owner, hash);
  for (const { cost, reason, ...served } of short) {
    const removal = world.facts.removals.get(cost.hash);
    const found = shortfallOf(served, context.nowMicros);
    if (removal === null) markRemoval(world, context, rules, owner, cost.hash, { reason, found });
    else if (removal.deleteByMicros <= context.nowMicros)
      removeMessage(world, context, rules, cost.hash, { removal, found });
  }
  if (short.length + recovered.length > 0) world.index.ownedCosts.unload(owner);
}

function shortfallOf(
  { availableAtto, messagesBefore, takenAtto, neededAtto }: Omit<ServedCost, "cost">,
  atMicros: bigint,
): Shortfall {
  return { atMicros, availableAtto, messagesBefore, takenAtto, neededAtto };
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
