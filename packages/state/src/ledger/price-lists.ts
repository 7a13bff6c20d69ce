import {
  type NetworkSettings,
  type PriceBook,
  type PriceList,
  type PriceListResult,
  parseJson,
  priceBookOf,
  readNetworkSettings,
  readPriceList,
  sha256OfText,
  stringifyCanonicalJson,
} from "@twentysix/protocol";
import { compareVersions, type ElementFact } from "../facts.ts";

/** A price list that can be counted with. */
export interface PriceLists {
  /** Its name: SHA-256, in hexadecimal, of prices and settings as canonical JSON. */
  readonly hash: string;
  readonly pricing: PriceList;
  readonly settings: NetworkSettings;
  readonly book: PriceBook;
}

/** The top-level fields of an aggregate with their raw JSON texts; null: there is no such aggregate. */
export type AggregateFields = readonly (readonly [name: string, valueText: string])[] | null;

/** An aggregate that may hold prices or settings. */
export interface PublishedAggregate {
  readonly fields: AggregateFields;
  /** All its elements; only asked for when `fields` are of no use. */
  readonly elements: readonly ElementFact[] | undefined;
}

/** The two aggregates that hold prices. */
export type PriceAggregate = "pricing" | "settings";

/** These aggregates cannot be used as they are, and which revision before could be is not known yet. */
export interface UnclearPrices {
  readonly unclear: readonly PriceAggregate[];
}

/** What is wrong with a list that was published and is not used. */
export interface PriceListFault {
  readonly which: PriceAggregate;
  readonly problems: readonly string[];
}

export interface PriceListsOptions {
  /** Those of the network definition: in force until there are others. */
  readonly defaults: { readonly pricing: PriceList; readonly settings: NetworkSettings };
  /** Told once about each list that is not used. */
  readonly onFault?: (fault: PriceListFault) => void;
  /** Told when other prices come into force, and again when the batch in which they did was rolled back. */
  readonly onChange?: (lists: PriceLists) => void;
}

/**
 * Says which prices are in force. An aggregate that is no price list is reported, and the last revision that is one
 * holds: of what its elements gave one after the other in canonical order. So it depends on the elements alone, and
 * neither on the order of their arrival nor on what this process has seen.
 */
export class PriceListReader {
  readonly #options: PriceListsOptions;
  readonly #pricing: Revision<PriceList>;
  readonly #settings: Revision<NetworkSettings>;
  #current: PriceLists | null = null;

  constructor(options: PriceListsOptions) {
    const { defaults, onFault = () => undefined } = options;
    this.#options = options;
    const report = (which: PriceAggregate) => (problems: readonly string[]) => onFault({ which, problems });
    this.#pricing = new Revision(defaults.pricing, readPriceList, report("pricing"));
    this.#settings = new Revision(defaults.settings, readNetworkSettings, report("settings"));
  }

  /** What was read belongs to a transaction that did not come about. */
  forget(): void {
    this.#current = null;
  }

  /** The prices that these aggregates put into force. */
  lists(pricing: PublishedAggregate, settings: PublishedAggregate): PriceLists | UnclearPrices {
    const taken = { pricing: this.#pricing.take(pricing), settings: this.#settings.take(settings) };
    const unclear = (["pricing", "settings"] as const).filter((which) => taken[which] === "unclear");
    if (unclear.length > 0) return { unclear };
    const isSame = taken.pricing === "same" && taken.settings === "same";
    if (this.#current !== null && isSame) return this.#current;
    const next = priceLists(this.#pricing.value, this.#settings.value);
    if (next.hash === this.#current?.hash) return this.#current;
    this.#options.onChange?.(next);
    this.#current = next;
    return next;
  }
}

/** Prices and settings with their name. */
export function priceLists(pricing: PriceList, settings: NetworkSettings): PriceLists {
  const hash = sha256OfText(stringifyCanonicalJson({ pricing, settings }));
  return { hash, pricing, settings, book: priceBookOf(pricing) };
}

type ReadList<Value> = (content: NonNullable<Parameters<typeof readPriceList>[0]>) => PriceListResult<Value>;

/** The last revision of one aggregate that can be used. */
class Revision<Value> {
  readonly #default: Value;
  readonly #read: ReadList<Value>;
  readonly #onProblems: (problems: readonly string[]) => void;
  #fields: AggregateFields | undefined;
  #text: string | null | undefined;
  #isUsable = true;
  #value: Value;

  constructor(fallback: Value, read: ReadList<Value>, onProblems: (problems: readonly string[]) => void) {
    this.#default = fallback;
    this.#value = fallback;
    this.#read = read;
    this.#onProblems = onProblems;
  }

  get value(): Value {
    return this.#value;
  }

  take({ fields, elements }: PublishedAggregate): "same" | "taken" | "unclear" {
    // Within a batch it is the same list again.
    if (fields === this.#fields) return "same";
    const text = fields === null ? null : textOf(fields);
    const isKnown = text === this.#text;
    if (isKnown && this.#isUsable) {
      this.#fields = fields;
      return "same";
    }
    const result = text === null ? { ok: true as const, value: this.#default } : this.#parse(text);
    // Which one was before depends on elements that may have come since.
    if (!result.ok && elements === undefined) return "unclear";
    if (!result.ok && !isKnown) this.#onProblems(result.problems);
    this.#fields = fields;
    this.#text = text;
    this.#isUsable = result.ok;
    this.#value = result.ok ? result.value : this.#lastUsable(elements ?? []);
    return "taken";
  }

  #lastUsable(elements: readonly ElementFact[]): Value {
    const merged = new Map<string, string>();
    let last = this.#default;
    for (const { fields } of [...elements].sort(compareVersions)) {
      for (const [name, valueText] of fields) merged.set(name, valueText);
      const result = this.#parse(textOf([...merged]));
      if (result.ok) last = result.value;
    }
    return last;
  }

  #parse(text: string): PriceListResult<Value> {
    const parsed = parseJson(text);
    return parsed.ok && parsed.value !== null
      ? this.#read(parsed.value)
      : { ok: false, problems: ["it is no JSON object"] };
  }
}

const textOf = (fields: NonNullable<AggregateFields>): string =>
  `{${[...fields]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, valueText]) => `${JSON.stringify(name)}:${valueText}`)
    .join(",")}}`;
