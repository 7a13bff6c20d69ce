import type { SqlConnection } from "../../sql/connection.ts";

/** A price list with the canonical JSON of both of its parts. */
export interface NamedPriceList {
  readonly hash: string;
  readonly pricingText: string;
  readonly settingsText: string;
}

/** Ids of the price lists that costs name. A list is written when it comes into force. */
export class PriceListNames {
  readonly #connection: SqlConnection;
  readonly #ids = new Map<string, number>();

  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  /** The list by which costs are computed from now on. Called inside a transaction. */
  announce(list: NamedPriceList, sinceMicros: bigint): void {
    if (this.#stored(list.hash) !== undefined) return;
    this.#connection.run(
      "INSERT INTO price_lists (hash, pricing, settings, first_used_us) VALUES (?, ?, ?, ?)",
      list.hash,
      list.pricingText,
      list.settingsText,
      sinceMicros,
    );
  }

  idOf(hash: string): number {
    const known = this.#ids.get(hash) ?? this.#stored(hash);
    if (known === undefined) throw new Error(`A cost names the price list ${hash}, which was not announced`);
    this.#ids.set(hash, known);
    return known;
  }

  forget(): void {
    this.#ids.clear();
  }

  #stored(hash: string): number | undefined {
    return this.#connection.get<{ id: number }>("SELECT id FROM price_lists WHERE hash = ?", hash)?.id;
  }
}
