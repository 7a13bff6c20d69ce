import type { Clock, Logger } from "@twentysix/platform";
import { type NetworkDefinition, priceListWarnings, stringifyCanonicalJson } from "@twentysix/protocol";
import { PriceListReader, priceLists } from "@twentysix/state";
import type { MessageStore } from "@twentysix/storage";

export interface PriceListOptions {
  readonly store: Pick<MessageStore, "announcePriceList">;
  readonly clock: Pick<Clock, "nowMicros">;
  readonly log: Logger;
  /** In force until the authority publishes others. */
  readonly defaults: Pick<NetworkDefinition, "pricing" | "settings">;
}

/** As many are named; a list may be long. */
const MAX_WARNINGS = 20;

/** Reads the prices in force; what is wrong or odd about them is logged, and costs can name them. */
export function createPriceLists({ store, clock, log, defaults }: PriceListOptions): PriceListReader {
  const defaultHash = priceLists(defaults.pricing, defaults.settings).hash;
  return new PriceListReader({
    defaults,
    onFault: ({ which, problems }) =>
      log.warn("A published price list cannot be used; the one before stays in force", {
        which,
        problems: problems.slice(0, 5),
      }),
    onChange: (lists) => {
      const { hash, pricing, settings } = lists;
      store.announcePriceList(
        {
          hash,
          pricingText: stringifyCanonicalJson(pricing),
          settingsText: stringifyCanonicalJson(settings),
        },
        clock.nowMicros(),
      );
      const warnings = priceListWarnings(pricing, settings);
      const isDefault = hash === defaultHash;
      log.info(
        isDefault ? "The prices of the network definition are in force" : "Published prices are in force",
        {
          priceList: hash,
          ...(warnings.length === 0 ? {} : { warnings: warnings.slice(0, MAX_WARNINGS) }),
        },
      );
    },
  });
}
