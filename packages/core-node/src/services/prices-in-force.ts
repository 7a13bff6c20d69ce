import type { NetworkDefinition } from "@twentysix/protocol";
import { type PriceLists, priceLists, type StateRules } from "@twentysix/state";
import type { PointReads } from "@twentysix/storage";
import type { LedgerAnswers } from "../ledger/ledger-answers.ts";

export interface PricesInForceOptions {
  readonly reads: Pick<PointReads, "aggregateVersions" | "lastSeq">;
  readonly ledger: Pick<LedgerAnswers, "pricesInForce">;
  readonly prices: StateRules["prices"];
  /** In force until the authority publishes others. */
  readonly defaults: Pick<NetworkDefinition, "pricing" | "settings">;
}

/**
 * The prices in force, read again when something was committed since and the aggregates are others than before.
 * Whoever asks after a commit gets what it put into force.
 */
export function createPricesInForce({
  reads,
  ledger,
  prices: { address, pricingKey, settingsKey },
  defaults,
}: PricesInForceOptions): () => Promise<PriceLists> {
  let lists = priceLists(defaults.pricing, defaults.settings);
  let seenSeq = -1;
  let seenVersion = "";
  return async () => {
    const seq = await reads.lastSeq();
    if (seq === seenSeq) return lists;
    const versions = await reads.aggregateVersions(address, [pricingKey, settingsKey]);
    // Aggregates too large for a version are looked at after each commit.
    const version = versions?.map((one) => `${one.key} ${one.version}`).join("\n") ?? `commit ${seq}`;
    if (version !== seenVersion) {
      const { hash, pricingText, settingsText } = await ledger.pricesInForce();
      if (hash !== lists.hash) lists = priceLists(JSON.parse(pricingText), JSON.parse(settingsText));
    }
    seenSeq = seq;
    seenVersion = version;
    return lists;
  };
}
