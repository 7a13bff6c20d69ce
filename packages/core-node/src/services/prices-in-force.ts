import type { Logger } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import { PriceListReader, type PriceLists, type StateRules } from "@twentysix/state";
import type { PointReads } from "@twentysix/storage";

export interface PricesInForceOptions {
  readonly reads: Pick<PointReads, "aggregateFields" | "aggregateVersions" | "lastSeq">;
  readonly prices: StateRules["prices"];
  /** In force until the authority publishes others. */
  readonly defaults: Pick<NetworkDefinition, "pricing" | "settings">;
  readonly log: Logger;
}

/**
 * The prices in force, read from the database when something was committed since and the aggregates are others than
 * before. Whoever asks after a commit gets what it put into force; to be asked after each, since a list that cannot
 * be used leaves the one that was read before.
 */
export function createPricesInForce({
  reads,
  prices,
  defaults,
  log,
}: PricesInForceOptions): () => Promise<PriceLists> {
  const { address, pricingKey, settingsKey } = prices;
  const reader = new PriceListReader({
    defaults,
    onFault: ({ which, problems }) =>
      log.warn("A published price list cannot be used; the one before stays in force", { which, problems }),
  });
  let lists = reader.lists(null, null);
  let seenSeq = -1;
  let seenVersion = "";
  return async () => {
    const seq = await reads.lastSeq();
    if (seq === seenSeq) return lists;
    const versions = await reads.aggregateVersions(address, [pricingKey, settingsKey]);
    const version = (versions ?? []).map((one) => `${one.key} ${one.version}`).join("\n");
    if (version !== seenVersion) {
      const [pricing, settings] = await Promise.all(
        [pricingKey, settingsKey].map((key) => reads.aggregateFields(address, key)),
      );
      lists = reader.lists(pricing ?? null, settings ?? null);
    }
    seenSeq = seq;
    seenVersion = version;
    return lists;
  };
}
