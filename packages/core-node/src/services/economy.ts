import type { Clock, Logger } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import type { StateRules } from "@twentysix/state";
import type { PointReads } from "@twentysix/storage";
import type { EconomyServices } from "../api/economy/economy-services.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { createPricesInForce } from "./prices-in-force.ts";
import { createRecalculation } from "./recalculation.ts";

export interface EconomyOptions {
  readonly definition: NetworkDefinition;
  readonly rules: StateRules;
  readonly reads: PointReads;
  readonly pipeline: Pick<Pipeline, "recalculate" | "onCommit">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the API needs of a network's money, until it is closed. */
export function createEconomy(options: EconomyOptions): EconomyServices & { close(): void } {
  const { definition, rules, reads, pipeline, log } = options;
  if (rules.ledger === null) throw new Error("A node without ledger has no prices to tell");
  const pricesInForce = createPricesInForce({ reads, prices: rules.prices, defaults: definition, log });
  // A list that cannot be used leaves the one before in force: so each has to be seen, whether or not it is asked for.
  const look = (): void => {
    pricesInForce().catch((error: unknown) => log.error("The prices in force could not be read", { error }));
  };
  look();
  return {
    rules: rules.ledger,
    switches: definition.switches,
    pricesInForce,
    administrationKey: definition.authorities.administrationKey,
    recalculation: createRecalculation(options),
    close: pipeline.onCommit(look),
  };
}
