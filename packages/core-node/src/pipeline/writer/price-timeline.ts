import type { NetworkDefinition } from "@twentysix/protocol";
import {
  compareVersions,
  type ElementFact,
  type Need,
  PriceListReader,
  type PriceLists,
  type PublishedAggregate,
  pairKey,
  priceLists,
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
    const first = priceLists(defaults.pricing, defaults.settings);
    const revisions = { pricing: new Revisions(), settings: new Revisions() };
    const points = [...pricing, ...elementsOf("settings")].sort(compareVersions).map((element) => {
      revisions[element.which].add(element);
      const lists = reader.lists(revisions.pricing.newest(), revisions.settings.newest());
      if ("unclear" in lists) throw new Error("Prices are unclear although all elements are known");
      return { fromMicros: element.timeMicros, lists };
    });
    return new PriceTimeline(first, points, 1 + pricing.length);
  }

  /** The prices in force at a moment. */
  at(timeMicros: bigint): PriceLists {
    return this.#points.findLast(({ fromMicros }) => fromMicros <= timeMicros)?.lists ?? this.#first;
  }
}

/** An aggregate as it grows by one element after the other. */
class Revisions {
  readonly #elements: ElementFact[] = [];
  readonly #fields = new Map<string, string>();

  add(element: ElementFact): void {
    this.#elements.push(element);
    for (const [name, valueText] of element.fields) this.#fields.set(name, valueText);
  }

  newest(): PublishedAggregate {
    const fields = this.#fields.size === 0 ? null : [...this.#fields];
    return { fields, elements: this.#elements };
  }
}
