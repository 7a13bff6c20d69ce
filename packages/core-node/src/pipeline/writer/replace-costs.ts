import { stringifyCanonicalJson } from "@twentysix/protocol";
import {
  type CostFact,
  fetchMissing,
  type Need,
  type PriceLists,
  replaceCost,
  type StateContext,
  settleAccounts,
  World,
} from "@twentysix/state";
import type { MessageStore } from "@twentysix/storage";

/** What a message costs anew, and by which prices. */
export interface CostChange {
  readonly itemHash: string;
  readonly cost: CostFact;
  readonly lists: PriceLists;
}

/**
 * Replaces costs in one transaction. A message that is no longer live, or about to be removed, is left as it is: it
 * may have changed since its cost was computed.
 */
export async function replaceCosts(
  store: MessageStore,
  context: StateContext,
  changes: readonly CostChange[],
): Promise<void> {
  const { ledger } = context.rules;
  if (ledger === null) return;
  const world = new World();
  const save = (): void => {
    store.save(world, {
      nowMicros: context.nowMicros,
      originOf: () => ({ origin: "p2p", receptionMicros: context.nowMicros }),
      requeue,
    });
  };
  const fetch = (needs: readonly Need[]): undefined => {
    store.fetch(world, needs, save);
  };
  store.begin();
  try {
    for (const [lists, ofList] of byPriceList(changes)) {
      announce(store, lists, context.nowMicros);
      for (const { itemHash, cost } of ofList) {
        await fetchMissing(world, needsOf(itemHash, cost), fetch);
        if (world.facts.items.get(itemHash)?.status !== "processed") continue;
        replaceCost(world, ledger, itemHash, cost);
      }
      // Written before the next list is announced: the store remembers no more than a few.
      save();
    }
    await settleAccounts(world, context, fetch);
    save();
    store.finish();
    store.commit();
  } catch (error) {
    store.rollBack();
    throw error;
  }
}

const needsOf = (itemHash: string, { owner }: CostFact): Need[] => [
  { table: "items", key: itemHash },
  { table: "costs", key: itemHash },
  { table: "accounts", key: owner },
];

function byPriceList(changes: readonly CostChange[]): Map<PriceLists, CostChange[]> {
  const groups = new Map<PriceLists, CostChange[]>();
  for (const change of changes) {
    const group = groups.get(change.lists);
    if (group === undefined) groups.set(change.lists, [change]);
    else group.push(change);
  }
  return groups;
}

function announce(store: MessageStore, { hash, pricing, settings }: PriceLists, sinceMicros: bigint): void {
  const pricingText = stringifyCanonicalJson(pricing);
  const settingsText = stringifyCanonicalJson(settings);
  store.announcePriceList({ hash, pricingText, settingsText }, sinceMicros);
}

/** Costs send no copy back to the queue. */
function requeue(): never {
  throw new Error("A recalculation queued a copy");
}
