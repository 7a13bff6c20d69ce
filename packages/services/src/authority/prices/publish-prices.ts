import type { Account } from "@twentysix/protocol";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  memberOf,
  stringifyCanonicalJson,
} from "@twentysix/protocol";
import { fetchAggregate } from "@twentysix/sdk";
import type { AuthorityContext } from "../context.ts";

/**
 * Publishes the price list and the settings of the definition where the network has none yet; where they differ,
 * only if the operator asked for it.
 */
export async function publishPrices(
  context: AuthorityContext,
  account: Account,
  signal: AbortSignal,
): Promise<void> {
  const { pricing, settings, authorities } = context.definition;
  const { pricingKey, settingsKey } = authorities.prices;
  await publishAggregate(context, account, pricingKey, wireForm(pricing), signal);
  await publishAggregate(context, account, settingsKey, wireForm(settings), signal);
}

async function publishAggregate(
  { connection, publisher, settings, log }: AuthorityContext,
  account: Account,
  key: string,
  content: JsonObject,
  signal: AbortSignal,
): Promise<void> {
  const inForce = await fetchAggregate(connection, { address: account.address, key, signal });
  const changed = Object.entries(content).filter(
    ([name, value]) => textOf(memberOf(inForce ?? {}, name)) !== textOf(value),
  );
  if (changed.length === 0) return;
  if (inForce !== null && !settings.updatesPrices) {
    log.warn("the network has other prices than its definition; they stay, unless an update is asked for", {
      key,
      differs: changed.map(([name]) => name),
    });
    return;
  }
  const members = Object.fromEntries(changed);
  const itemHash = await publisher.publish(
    { account, type: "AGGREGATE", content: { key, content: members } },
    signal,
  );
  log.info("published prices", { key, members: Object.keys(members), itemHash });
}

const textOf = (value: JsonValue | undefined): string | null =>
  value === undefined ? null : stringifyCanonicalJson(value);

/** A definition as an aggregate: what is absent has no member instead of a null. */
function wireForm(definition: object): JsonObject {
  return withoutNulls(definition as JsonObject) as JsonObject;
}

function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      member === null ? [] : [[name, withoutNulls(member)] as const],
    ),
  );
}
