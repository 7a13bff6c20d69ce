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
  readonly pipeline: Pick<Pipeline, "recalculate">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the API needs of a network's money. */
export function createEconomy(options: EconomyOptions): EconomyServices {
  const { definition, rules, reads, log } = options;
  if (rules.ledger === null) throw new Error("A node without ledger has no prices to tell");
  return {
    rules: rules.ledger,
    switches: definition.switches,
    pricesInForce: createPricesInForce({ reads, prices: rules.prices, defaults: definition, log }),
    administrationKey: definition.authorities.administrationKey,
    recalculation: createRecalculation(options),
  };
}
