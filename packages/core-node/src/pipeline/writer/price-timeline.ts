import type { NetworkDefinition } from "@twentysix/protocol";
import {
  compareVersions,
  type ElementFact,
  type Need,
  PriceListReader,
  type PriceLists,
  pairKey,
  type StateRules,
  World,
} from "@twentysix/state";
import type { MessageStore } from "@twentysix/storage";

/** Which prices were in force when: those of the network first, then after each element of the aggregates. */
export class PriceTimeline {
  readonly #points: readonly { readonly fromMicros: bigint; readonly lists: PriceLists }[];
  readonly #first: PriceLists;
  /** Price lists that were ever published, and the first one. */
  readonly changes: number;

  private constructor(
    first: PriceLists,
    points: readonly { readonly fromMicros: bigint; readonly lists: PriceLists }[],
    changes: number,
  ) {
    this.#first = first;
    this.#points = points;
    this.changes = changes;
  }

  static read(
    store: Pick<MessageStore, "fetch">,
    { address, pricingKey, settingsKey }: StateRules["prices"],
    defaults: Pick<NetworkDefinition, "pricing" | "settings">,
  ): PriceTimeline {
    const world = new World();
    const keys = { pricing: pairKey(address, pricingKey), settings: pairKey(address, settingsKey) };
    const needs = Object.values(keys).map((key): Need => ({ table: "elementsOf", key }));
    store.fetch(world, needs, () => undefined);
    const elementsOf = (which: "pricing" | "settings") =>
      (world.index.elementsOf.get(keys[which]) ?? []).map((element) => ({ ...element, which }));
    const pricing = elementsOf("pricing");
    const reader = new PriceListReader({ defaults });
    const first = reader.lists(null, null);
    const fields = { pricing: new Map<string, string>(), settings: new Map<string, string>() };
    const points = [...pricing, ...elementsOf("settings")].sort(compareVersions).map((element) => {
      merge(fields[element.which], element);
      return {
        fromMicros: element.timeMicros,
        lists: reader.lists(contentOf(fields.pricing), contentOf(fields.settings)),
      };
    });
    return new PriceTimeline(first, points, 1 + pricing.length);
  }

  /** The prices in force at a moment. */
  at(timeMicros: bigint): PriceLists {
    return this.#points.findLast(({ fromMicros }) => fromMicros <= timeMicros)?.lists ?? this.#first;
  }
}

function merge(into: Map<string, string>, { fields }: ElementFact): void {
  for (const [name, valueText] of fields) into.set(name, valueText);
}

const contentOf = (fields: ReadonlyMap<string, string>): [string, string][] | null =>
  fields.size === 0 ? null : [...fields];
