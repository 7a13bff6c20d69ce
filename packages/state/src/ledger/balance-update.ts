import type { BalanceUpdate } from "@twentysix/protocol";
import { type Need, pairKey, type World } from "../world.ts";
import { accountOf, changeAccount } from "./accounts.ts";

/** The newest part at each place is kept, so that it can be said of which addresses all parts together say nothing. */
function notePart(world: World, { chain, part, mainHeight }: BalanceUpdate): void {
  if (part === null) return;
  const key = `${chain} ${part.index}`;
  const known = world.balanceParts.get(key);
  if (known !== undefined && known.height >= mainHeight) return;
  world.balanceParts.set(key, { chain, ...part, height: mainHeight });
}

/** What must be known before balances can be updated. */
export function balanceNeeds(update: BalanceUpdate): Need[] {
  return update.balances.flatMap(([address]): Need[] => [
    { table: "balances", key: balanceKey(update, address) },
    ...(update.dapp === null ? [{ table: "accounts" as const, key: address }] : []),
  ]);
}

const balanceKey = ({ chain, dapp }: BalanceUpdate, address: string): string =>
  pairKey(address, chain, dapp ?? "");

/**
 * Sets the balances that a post lists. A figure of a lower or equal height changes nothing; an address that is
 * left out keeps its balance. Source: pyaleph `src/aleph/db/accessors/balances.py`.
 */
export function applyBalances(world: World, update: BalanceUpdate, nowMicros: bigint): void {
  notePart(world, update);
  for (const [address, tokensAtto] of update.balances) {
    const key = balanceKey(update, address);
    const known = world.facts.balances.get(key);
    if (known !== null && known.height >= update.mainHeight) continue;
    const before = known?.tokensAtto ?? 0n;
    const isSame = known !== null && before === tokensAtto;
    world.facts.balances.set(key, {
      tokensAtto,
      height: update.mainHeight,
      updatedMicros: isSame ? known.updatedMicros : nowMicros,
    });
    if (update.dapp !== null) continue;
    const account = accountOf(world, address);
    changeAccount(world, address, { tokensAtto: account.tokensAtto + tokensAtto - before });
    if (tokensAtto > before) world.wakes.add(`account:${address}`);
  }
}
