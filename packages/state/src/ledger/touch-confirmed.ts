import { type FetchFacts, fetchMissing } from "../batch.ts";
import type { StateContext } from "../rules.ts";
import type { World } from "../world.ts";

/**
 * Messages were confirmed: where only what is confirmed at a certain height can be removed, what their owners can pay
 * for has to be decided anew.
 */
export async function touchConfirmed(
  world: World,
  { rules: { ledger } }: StateContext,
  hashes: readonly string[],
  fetch: FetchFacts,
): Promise<void> {
  if (ledger === null || ledger.cutovers.paidFilesFromHeight === null) return;
  await fetchMissing(
    world,
    hashes.map((key) => ({ table: "costs" as const, key })),
    fetch,
  );
  for (const hash of hashes) {
    const cost = world.facts.costs.get(hash);
    if (cost !== null) world.touchedAccounts.add(cost.owner);
  }
}
