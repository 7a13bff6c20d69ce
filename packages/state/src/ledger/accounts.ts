import type { Need, World } from "../world.ts";
import type { AccountFact } from "./ledger-facts.ts";
import type { LedgerRules } from "./ledger-rules.ts";
import { creditsAt, nextExpiryMicros } from "./lots.ts";

const NOTHING: AccountFact = {
  tokensAtto: 0n,
  heldAtto: 0n,
  streamedAttoPerSecond: 0n,
  creditAttoPerSecond: 0n,
  removable: 0,
  removing: 0,
  lastEntry: null,
  creditsIn: 0n,
  creditsOut: 0n,
  nextEventMicros: null,
};

export const ATTO = 10n ** 18n;

/** The account of an address; an address without one has nothing and owes nothing. */
export function accountOf(world: World, address: string): AccountFact {
  return world.facts.accounts.get(address) ?? NOTHING;
}

/** Changes an account; its messages are looked at when the batch is decided. */
export function changeAccount(world: World, address: string, change: Partial<AccountFact>): void {
  world.facts.accounts.set(address, { ...accountOf(world, address), ...change });
  world.touchedAccounts.add(address);
}

/** What must be known to say when the messages of touched accounts have to be looked at. */
export function scheduleNeeds(world: World): Need[] {
  const needs: Need[] = [];
  for (const address of world.touchedAccounts) {
    needs.push({ table: "accounts", key: address });
    const account = world.facts.accounts.peek(address);
    if (account !== null && account !== undefined && dependsOnCredits(account))
      needs.push({ table: "lots", key: address });
  }
  return needs;
}

/** Dates the next look at each touched account. */
export function scheduleTouched(world: World, rules: LedgerRules, nowMicros: bigint): void {
  for (const address of world.touchedAccounts) {
    const account = accountOf(world, address);
    const nextEventMicros = isDue(world, address, account, rules, nowMicros)
      ? nowMicros
      : nextLookMicros(world, address, account, nowMicros);
    if (nextEventMicros !== account.nextEventMicros)
      world.facts.accounts.set(address, { ...account, nextEventMicros });
  }
  world.touchedAccounts.clear();
}

/** When nothing happens in between, the next moment that can change what an account can pay for: an expiry. */
export function nextLookMicros(
  world: World,
  address: string,
  account: AccountFact,
  nowMicros: bigint,
): bigint | null {
  if (!dependsOnCredits(account)) return null;
  return nextExpiryMicros(world.facts.lots.get(address) ?? [], nowMicros);
}

const dependsOnCredits = (account: AccountFact): boolean => account.creditAttoPerSecond > 0n;

/** Something may have to be removed, or may stay after all. */
function isDue(
  world: World,
  address: string,
  account: AccountFact,
  { creditRuntimeSeconds }: LedgerRules,
  nowMicros: bigint,
): boolean {
  if (account.removing > 0) return true;
  if (account.removable === 0) return false;
  if (account.tokensAtto < account.heldAtto) return true;
  if (!dependsOnCredits(account)) return false;
  const credits = creditsAt(world.facts.lots.get(address) ?? [], nowMicros);
  return credits * ATTO < account.creditAttoPerSecond * creditRuntimeSeconds;
}
