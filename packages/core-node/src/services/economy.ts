import type { NetworkDefinition } from "@twentysix/protocol";
import type { StateRules } from "@twentysix/state";
import type { PointReads } from "@twentysix/storage";
import type { EconomyServices, Recalculation } from "../api/economy/economy-services.ts";
import type { LedgerAnswers } from "../ledger/ledger-answers.ts";
import { createPricesInForce } from "./prices-in-force.ts";

export interface EconomyOptions {
  readonly definition: NetworkDefinition;
  readonly rules: StateRules;
  readonly reads: PointReads;
  readonly ledger: Pick<LedgerAnswers, "pricesInForce">;
  readonly recalculation: Recalculation;
}

/** What the API needs of a network's money. */
export function createEconomy(options: EconomyOptions): EconomyServices {
  const { definition, rules, reads, ledger, recalculation } = options;
  if (rules.ledger === null) throw new Error("A node without ledger has no prices to tell");
  return {
    rules: rules.ledger,
    switches: definition.switches,
    pricesInForce: createPricesInForce({ reads, ledger, prices: rules.prices, defaults: definition }),
    administrationKey: definition.authorities.administrationKey,
    recalculation,
  };
}
