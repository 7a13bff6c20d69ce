import { type FetchFacts, fetchMissing } from "../batch.ts";
import type { StateContext } from "../rules.ts";
import type { World } from "../world.ts";
import { sweepAccount } from "./sweep-account.ts";

/** Rounds of fetching that one account may take; more is a defect. */
const MAX_ROUNDS = 20;

/** Sweeps accounts one after the other, in the transaction of the caller. */
export async function sweepAccounts(
  world: World,
  context: StateContext,
  owners: readonly string[],
  fetch: FetchFacts,
): Promise<void> {
  for (const owner of owners) {
    for (let round = 0; ; round += 1) {
      if (round >= MAX_ROUNDS) throw new Error(`Sweeping the account of ${owner} does not end`);
      const needs = sweepAccount(world, context, owner);
      if (needs.length === 0) break;
      await fetchMissing(world, needs, fetch);
    }
  }
}
