import { readNetworkSettings, readPriceList } from "@twentysix/protocol";
import { fetchAggregate } from "@twentysix/sdk";
import { priceLists } from "@twentysix/state";
import type { AuthorityContext } from "../context.ts";

/** The name of the price list in force: that under which nodes record what messages cost. */
export async function priceListName(
  { definition, connection }: Pick<AuthorityContext, "definition" | "connection">,
  signal: AbortSignal,
): Promise<string> {
  const { address, pricingKey, settingsKey } = definition.authorities.prices;
  const pricing = await fetchAggregate(connection, { address, key: pricingKey, signal });
  const settings = await fetchAggregate(connection, { address, key: settingsKey, signal });
  const pricingRead = pricing === null ? null : readPriceList(pricing);
  const settingsRead = settings === null ? null : readNetworkSettings(settings);
  return priceLists(
    pricingRead?.ok ? pricingRead.value : definition.pricing,
    settingsRead?.ok ? settingsRead.value : definition.settings,
  ).hash;
}
