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

/** What is wrong with a list that was published and is not used. */
export interface PriceListFault {
  readonly which: "pricing" | "settings";
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
 * Reads the price aggregates once for each revision. A revision that is no price list is reported and the one
 * before stays in force.
 */
export class PriceListReader {
  readonly #options: PriceListsOptions;
  readonly #pricing: Revision<PriceList>;
  readonly #settings: Revision<NetworkSettings>;
  #current: PriceLists | null = null;

  constructor(options: PriceListsOptions) {
    const { defaults, onFault = () => undefined } = options;
    this.#options = options;
    const report = (which: PriceListFault["which"]) => (problems: readonly string[]) =>
      onFault({ which, problems });
    this.#pricing = new Revision(defaults.pricing, readPriceList, report("pricing"));
    this.#settings = new Revision(defaults.settings, readNetworkSettings, report("settings"));
  }

  /** What was read belongs to a transaction that did not come about. */
  forget(): void {
    this.#current = null;
  }

  /** The prices that these aggregates put into force. */
  lists(pricing: AggregateFields, settings: AggregateFields): PriceLists {
    const hasNewPrices = this.#pricing.take(pricing);
    const hasNewSettings = this.#settings.take(settings);
    if (this.#current !== null && !hasNewPrices && !hasNewSettings) return this.#current;
    const next = priceLists(this.#pricing.value, this.#settings.value);
    if (next.hash !== this.#current?.hash) this.#options.onChange?.(next);
    this.#current = next;
    return next;
  }
}

/** Prices and settings with their name. */
export function priceLists(pricing: PriceList, settings: NetworkSettings): PriceLists {
  const hash = sha256OfText(stringifyCanonicalJson({ pricing, settings }));
  return { hash, pricing, settings, book: priceBookOf(pricing) };
}

/** The last revision of one aggregate that could be read. */
class Revision<Value> {
  readonly #default: Value;
  readonly #read: (content: NonNullable<Parameters<typeof readPriceList>[0]>) => PriceListResult<Value>;
  readonly #onProblems: (problems: readonly string[]) => void;
  #fields: AggregateFields | undefined;
  #text: string | null = null;
  #value: Value;

  constructor(
    fallback: Value,
    read: (content: NonNullable<Parameters<typeof readPriceList>[0]>) => PriceListResult<Value>,
    onProblems: (problems: readonly string[]) => void,
  ) {
    this.#default = fallback;
    this.#value = fallback;
    this.#read = read;
    this.#onProblems = onProblems;
  }

  get value(): Value {
    return this.#value;
  }

  /** True when another value is in force now. */
  take(fields: AggregateFields): boolean {
    // Within a batch it is the same list again.
    if (fields === this.#fields) return false;
    this.#fields = fields;
    const text = fields === null ? null : textOf(fields);
    if (text === this.#text) return false;
    this.#text = text;
    if (text === null) {
      this.#value = this.#default;
      return true;
    }
    const parsed = parseJson(text);
    const result: PriceListResult<Value> =
      parsed.ok && parsed.value !== null
        ? this.#read(parsed.value)
        : { ok: false, problems: ["it is no JSON object"] };
    if (!result.ok) {
      this.#onProblems(result.problems);
      return false;
    }
    this.#value = result.value;
    return true;
  }
}

const textOf = (fields: NonNullable<AggregateFields>): string =>
  `{${[...fields]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, valueText]) => `${JSON.stringify(name)}:${valueText}`)
    .join(",")}}`;
