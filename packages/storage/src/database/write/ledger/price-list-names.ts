import type { SqliteConnection } from "../../sqlite/connection.ts";

/** A price list with the canonical JSON of both of its parts. */
export interface NamedPriceList {
  readonly hash: string;
  readonly pricingText: string;
  readonly settingsText: string;
}

/** Lists that may come into force within one batch. */
const MAX_ANNOUNCED = 64;

/** Ids of the price lists that costs name. A list is written when a cost first names it. */
export class PriceListNames {
  readonly #connection: SqliteConnection;
  readonly #ids = new Map<string, number>();
  readonly #announced = new Map<string, NamedPriceList & { readonly sinceMicros: bigint }>();

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  /** The list by which costs are computed from now on. */
  announce(list: NamedPriceList, sinceMicros: bigint): void {
    this.#announced.delete(list.hash);
    this.#announced.set(list.hash, { ...list, sinceMicros });
    const [oldest] = this.#announced.keys();
    if (this.#announced.size > MAX_ANNOUNCED && oldest !== undefined) this.#announced.delete(oldest);
  }

  idOf(hash: string): number {
    const known = this.#ids.get(hash) ?? this.#stored(hash) ?? this.#write(hash);
    this.#ids.set(hash, known);
    return known;
  }

  forget(): void {
    this.#ids.clear();
  }

  #stored(hash: string): number | undefined {
    return this.#connection.get<{ id: number }>("SELECT id FROM price_lists WHERE hash = ?", hash)?.id;
  }

  #write(hash: string): number {
    const list = this.#announced.get(hash);
    if (list === undefined) throw new Error(`A cost names the price list ${hash}, which was not announced`);
    return this.#connection.run(
      "INSERT INTO price_lists (hash, pricing, settings, first_used_us) VALUES (?, ?, ?, ?)",
      hash,
      list.pricingText,
      list.settingsText,
      list.sinceMicros,
    ).lastId;
  }
}
