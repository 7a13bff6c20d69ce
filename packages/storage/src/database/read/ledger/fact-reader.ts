import type { Need, World } from "@twentysix/state";
import type { SqlConnection } from "../../sql/connection.ts";
import type { NamedPriceList } from "../../write/ledger/price-list-names.ts";
import { loadFacts } from "../../write/load-facts.ts";
import type { ReadElementFields } from "../../write/stored-content.ts";
import { WriterSession } from "../../write/writer-session.ts";

/**
 * The facts that the writer judges by, read on another connection: what would be decided now can be told without
 * deciding it. Nothing is written.
 */
export class FactReader {
  readonly #session: WriterSession;
  readonly #readElementFields: ReadElementFields;

  constructor(connection: SqlConnection, readElementFields: ReadElementFields) {
    this.#session = new WriterSession(connection);
    this.#readElementFields = readElementFields;
  }

  /** A price list that was in force at some time; null for a name that means nothing here. */
  priceList(hash: string): NamedPriceList | null {
    const row = this.#session.connection.get<{ pricing: string; settings: string }>(
      "SELECT pricing, settings FROM price_lists WHERE hash = ?",
      hash,
    );
    return row === undefined ? null : { hash, pricingText: row.pricing, settingsText: row.settings };
  }

  /** Runs `work` over one state of the database, whatever is written meanwhile. */
  async snapshot<T>(work: (fetch: (world: World, needs: readonly Need[]) => void) => Promise<T>): Promise<T> {
    const { connection } = this.#session;
    connection.exec(connection.dialect.beginSnapshot);
    try {
      return await work((world, needs) => loadFacts(this.#session, world, needs, this.#readElementFields));
    } finally {
      this.#session.endBatch();
      connection.exec("COMMIT");
    }
  }
}
