import type { CreditDistribution, CreditExpense } from "@twentysix/protocol";
import type { PreparedMessage } from "../prepared.ts";
import type { Need, World } from "../world.ts";
import { accountOf, changeAccount } from "./accounts.ts";
import type { CreditEntry, EntryPoint } from "./ledger-facts.ts";
import type { LedgerRules } from "./ledger-rules.ts";
import { addLot, consumeLots, isInOrder, replayLots } from "./lots.ts";

/** Largest amount that the ledger counts with. */
export const MAX_CREDITS = 2n ** 63n - 1n;

/** By what the amounts of a post of that time are multiplied: before a certain date credits were coarser. */
export function precisionOf({ cutovers }: LedgerRules, timeMicros: bigint): bigint {
  const { creditPrecisionFromSeconds: from, creditPrecisionFactor } = cutovers;
  return from !== null && timeMicros < BigInt(from) * 1_000_000n ? BigInt(creditPrecisionFactor) : 1n;
}

const BLANK = {
  expirationMicros: null,
  price: null,
  bonusAmount: null,
  txHash: null,
  token: null,
  chain: null,
  origin: null,
  originRef: null,
  provider: null,
  paymentMethod: null,
  expenseCount: null,
  expenseSizeMib: null,
} as const;

export function blankEntry(
  message: PreparedMessage,
  index: number,
): Pick<CreditEntry, keyof EntryPoint | keyof typeof BLANK> {
  return { ...BLANK, hash: message.envelope.itemHash, timeMicros: message.content.timeMicros, index };
}

/** The entries of a distribution. */
export function grantEntries(
  rules: LedgerRules,
  message: PreparedMessage,
  { token, chain, grants }: CreditDistribution,
): CreditEntry[] {
  const factor = precisionOf(rules, message.content.timeMicros);
  return grants.map((grant, index) => ({
    ...blankEntry(message, index),
    address: grant.address,
    amount: grant.amount * factor,
    expirationMicros: grant.expirationMicros,
    price: grant.price,
    bonusAmount: grant.bonusAmount,
    txHash: grant.txHash,
    token,
    chain,
    origin: grant.origin,
    originRef: grant.ref,
    provider: grant.provider,
    paymentMethod: grant.paymentMethod,
  }));
}

/** Who is named as the provider of expenses and transfers. */
export const NETWORK_PROVIDER = "ALEPH";

/** The entries of an expense. */
export function expenseEntries(
  rules: LedgerRules,
  message: PreparedMessage,
  expenses: readonly CreditExpense[],
): CreditEntry[] {
  const factor = precisionOf(rules, message.content.timeMicros);
  return expenses.map((expense, index) => ({
    ...blankEntry(message, index),
    address: expense.address,
    amount: -expense.amount * factor,
    price: expense.price,
    txHash: expense.nodeId,
    origin: expense.executionId,
    originRef: expense.ref,
    provider: NETWORK_PROVIDER,
    paymentMethod: "credit_expense",
    expenseCount: expense.count,
    expenseSizeMib: expense.sizeMib,
  }));
}

/** What must be known before entries can be added. */
export function entryNeeds(addresses: Iterable<string>): Need[] {
  return [...new Set(addresses)].flatMap((address): Need[] => [
    { table: "accounts", key: address },
    { table: "lots", key: address },
  ]);
}

/** Adds the entries of one message, once: their lots, the sums of the accounts, and what waits for funds. */
export function addEntries(world: World, hash: string, entries: readonly CreditEntry[]): void {
  world.facts.entries.set(hash, entries);
  for (const entry of entries) addEntry(world, entry);
}

function addEntry(world: World, entry: CreditEntry): void {
  const { address, amount } = entry;
  const account = accountOf(world, address);
  world.index.creditHistory.unload(address);
  if (world.unsettledLots.has(address) || !isInOrder(entry, account.lastEntry)) {
    world.unsettledLots.add(address);
  } else {
    const lots = world.facts.lots.get(address) ?? [];
    const next = amount > 0n ? addLot(lots, entry) : consumeLots(lots, -amount, entry.timeMicros).lots;
    world.facts.lots.set(address, next);
  }
  const { hash, timeMicros, index } = entry;
  changeAccount(world, address, {
    lastEntry: isInOrder(entry, account.lastEntry) ? { hash, timeMicros, index } : account.lastEntry,
    creditsIn: account.creditsIn + (amount > 0n ? amount : 0n),
    creditsOut: account.creditsOut - (amount < 0n ? amount : 0n),
  });
  if (amount > 0n) world.wakes.add(`account:${address}`);
}

/**
 * Counts again, from its whole history, what is left of the credits of an account that an earlier-dated entry
 * reached late. Gives what must be known first; nothing once it is done.
 */
export function settleLots(world: World, address: string): Need[] {
  if (!world.unsettledLots.has(address)) return [];
  const history = world.index.creditHistory.peek(address);
  if (history === undefined) return [{ table: "creditHistory", key: address }];
  world.facts.lots.set(address, replayLots(history ?? []));
  world.unsettledLots.delete(address);
  return [];
}
