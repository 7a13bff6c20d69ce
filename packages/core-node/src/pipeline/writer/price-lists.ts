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
      if (hash === defaultHash) return;
      const warnings = priceListWarnings(pricing, settings);
      log.info("Published prices are in force", {
        priceList: hash,
        ...(warnings.length === 0 ? {} : { warnings }),
      });
    },
  });
}
