import type { Logger } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import type { StateRules } from "@twentysix/state";
import type { PointReads } from "@twentysix/storage";
import type { EconomyServices, Recalculation } from "../api/economy/economy-services.ts";
import type { CommitSource } from "./live-feed.ts";
import { createPricesInForce } from "./prices-in-force.ts";

export interface EconomyOptions {
  readonly definition: NetworkDefinition;
  readonly rules: StateRules;
  readonly reads: PointReads;
  readonly commits: Pick<CommitSource, "onCommit">;
  readonly recalculation: Recalculation;
  readonly log: Logger;
}

/** What the API needs of a network's money, until it is closed. */
export function createEconomy(options: EconomyOptions): EconomyServices & { close(): void } {
  const { definition, rules, reads, commits, recalculation, log } = options;
  if (rules.ledger === null) throw new Error("A node without ledger has no prices to tell");
  const pricesInForce = createPricesInForce({ reads, prices: rules.prices, defaults: definition, log });
  // A list that cannot be used leaves the one before in force: so each has to be seen, whether or not it is asked for.
  let isClosed = false;
  const look = (): void => {
    pricesInForce().catch((error: unknown) => {
      // Whatever was asked when the node stops is given up.
      if (!isClosed) log.error("The prices in force could not be read", { error });
    });
  };
  look();
  const stop = commits.onCommit(look);
  return {
    rules: rules.ledger,
    switches: definition.switches,
    pricesInForce,
    administrationKey: definition.authorities.administrationKey,
    recalculation,
    close: () => {
      isClosed = true;
      stop();
    },
  };
}
