import { type Needing, need } from "../outcome.ts";
import type { PriceRequest, StateContext } from "../rules.ts";
import { missingFacts, type Need, pairKey, type World } from "../world.ts";
import type { PriceAggregate, PriceLists, PublishedAggregate } from "./price-lists.ts";

function keyOf({ rules: { prices } }: StateContext, which: PriceAggregate): string {
  return pairKey(prices.address, which === "pricing" ? prices.pricingKey : prices.settingsKey);
}

/** What must be known, as a rule, to say which prices are in force. */
export function listNeeds(context: StateContext): Need[] {
  return [
    { table: "aggregateContents", key: keyOf(context, "pricing") },
    { table: "aggregateContents", key: keyOf(context, "settings") },
  ];
}

/** Did the batch change the aggregates that hold the prices? */
export function changesPrices(world: World, context: StateContext): boolean {
  return (["pricing", "settings"] as const).some((which) =>
    world.changedAggregates.has(keyOf(context, which)),
  );
}

/** The prices in force. */
export function listsInForce(world: World, context: StateContext): PriceLists | Needing {
  const missing = missingFacts(world, listNeeds(context));
  if (missing.length > 0) return need(missing);
  const lists = context.priceLists(
    published(world, keyOf(context, "pricing")),
    published(world, keyOf(context, "settings")),
  );
  if ("hash" in lists) return lists;
  return need(lists.unclear.map((which) => ({ table: "elementsOf" as const, key: keyOf(context, which) })));
}

function published(world: World, key: string): PublishedAggregate {
  const elements = world.index.elementsOf.peek(key);
  return {
    fields: world.index.aggregateContents.get(key),
    elements: elements === null ? [] : elements,
  };
}

/** The newest elements of the aggregates; needs them. */
export function revisionsInForce(world: World, context: StateContext): PriceRequest["priceList"] {
  const lastOf = (which: PriceAggregate) => world.facts.aggregates.get(keyOf(context, which))?.last ?? null;
  return { pricing: lastOf("pricing"), settings: lastOf("settings") };
}

export function revisionNeeds(context: StateContext): Need[] {
  return [
    { table: "aggregates", key: keyOf(context, "pricing") },
    { table: "aggregates", key: keyOf(context, "settings") },
  ];
}
