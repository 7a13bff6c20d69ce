import type { LiveMessage } from "../facts.ts";
import type { PriceRequest } from "../rules.ts";
import type { Need, World } from "../world.ts";
import { accountOf, changeAccount } from "./accounts.ts";
import { decidePayment } from "./judge-payment.ts";
import type { AccountFact, CostFact } from "./ledger-facts.ts";
import type { LedgerRules } from "./ledger-rules.ts";
import { isPaidKind } from "./message-bill.ts";

/** Records what an accepted message costs. */
export function recordCost(world: World, request: PriceRequest): void {
  const cost = costFactOf(request);
  const hash = request.message.envelope.itemHash;
  world.facts.costs.load(hash, null);
  world.facts.costs.set(hash, cost);
  commit(world, request.rules, cost, 1n);
}

/** What is recorded of the cost of a message. */
export function costFactOf(request: PriceRequest): CostFact {
  const { message, cost, paymentType, lists, storedBytes, rules } = request;
  const { rule, funds, isBilled } = decidePayment(request);
  return {
    owner: message.content.owner,
    paymentType,
    lines: cost.lines,
    ...cost.total,
    timeMicros: message.content.timeMicros,
    priceListHash: lists.hash,
    isBilled,
    acceptance: { rule, funds },
    isRemovable: isRemovable(request, rules),
    fileSizeBytes: storedBytes,
  };
}

/** A small file stays, whatever happens to its owner's funds: of credits only before all must be paid with them. */
function isRemovable({ kind, paymentType, storedBytes, message }: PriceRequest, rules: LedgerRules): boolean {
  if (paymentType === "superfluid") return false;
  if (kind !== "STORE" || storedBytes === null || storedBytes > rules.freeFileBytes) return true;
  const { creditOnlyFromSeconds: from } = rules.cutovers;
  return (
    paymentType === "credit" && from !== null && message.envelope.timeMicros >= BigInt(from) * 1_000_000n
  );
}

/** What must be known before the cost of a message can be taken back. */
export function costRetractionNeeds(hash: string, live: Pick<LiveMessage, "type" | "owner">): Need[] {
  if (!isPaidKind(live.type)) return [];
  return [
    { table: "costs", key: hash },
    { table: "removals", key: hash },
    { table: "accounts", key: live.owner },
  ];
}

/** Records another cost of a live message, in place of the one that it has, if it has one. */
export function replaceCost(world: World, rules: LedgerRules, hash: string, cost: CostFact): void {
  const before = world.facts.costs.get(hash);
  world.facts.costs.set(hash, cost);
  if (before !== null) commit(world, rules, before, -1n);
  commit(world, rules, cost, 1n);
}

/** The message uses nothing any more. */
export function dropCost(world: World, rules: LedgerRules, hash: string): void {
  const cost = world.facts.costs.get(hash);
  if (cost === null) return;
  world.facts.costs.set(hash, null);
  commit(world, rules, cost, -1n);
  if (world.facts.removals.get(hash) === null) return;
  world.facts.removals.set(hash, null);
  changeAccount(world, cost.owner, { removing: accountOf(world, cost.owner).removing - 1 });
}

/** Adds to (or takes from) what the account must pay for. */
function commit(world: World, rules: LedgerRules, cost: CostFact, sign: 1n | -1n): void {
  const account = accountOf(world, cost.owner);
  const removable = account.removable + (cost.isRemovable ? Number(sign) : 0);
  const sums = cost.isBilled || !rules.freeItemsUncounted ? commitments(account, cost, sign) : {};
  changeAccount(world, cost.owner, { ...sums, removable });
}

function commitments(account: AccountFact, cost: CostFact, sign: 1n | -1n): Partial<AccountFact> {
  switch (cost.paymentType) {
    case "hold":
      return { heldAtto: account.heldAtto + sign * cost.holdAtto };
    case "superfluid":
      return { streamedAttoPerSecond: account.streamedAttoPerSecond + sign * cost.streamAttoPerSecond };
    case "credit":
      return { creditAttoPerSecond: account.creditAttoPerSecond + sign * cost.creditAttoPerSecond };
  }
}
