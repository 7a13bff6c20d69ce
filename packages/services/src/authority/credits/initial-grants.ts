import { type Account, isJsonObject, memberOf } from "@twentysix/protocol";
import { iteratePosts } from "@twentysix/sdk";
import type { AuthorityContext } from "../context.ts";
import { grantCredits } from "./grant-credits.ts";

const TAG = "initial_grant";
/** Addresses of one post. */
const MAX_ENTRIES = 2_000;

/** Grants their first credits to the addresses of the settings that have not had theirs. What was granted stays as it was. */
export async function grantInitialCredits(
  context: AuthorityContext,
  account: Account,
  signal: AbortSignal,
): Promise<void> {
  const granted = await addressesGranted(context, account, signal);
  const entries = Object.entries(context.settings.grants)
    .filter(([address]) => !granted.has(address))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([address, amount]) => ({ address, amount }));
  for (let start = 0; start < entries.length; start += MAX_ENTRIES) {
    const batch = entries.slice(start, start + MAX_ENTRIES);
    const nonce = `${TAG} ${batch.map(({ address }) => address).join(" ")}`;
    const { itemHash } = await grantCredits(
      { ...context, credits: context.definition.authorities.credits },
      { account, entries: batch, expirationMs: null, nonce, origin: "initial", tags: [TAG] },
      signal,
    );
    context.log.info("granted first credits", { addresses: batch.length, itemHash });
  }
}

async function addressesGranted(
  { connection, publisher, definition }: AuthorityContext,
  account: Account,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  await publisher.settleEarlier(signal);
  const granted = new Set<string>();
  const types = [definition.authorities.credits.distributionPostType];
  const posts = iteratePosts(connection, {
    owners: [account.address],
    types,
    tags: [TAG],
    pageSize: 20,
    signal,
  });
  for await (const { content } of posts) {
    const body = isJsonObject(content) ? memberOf(content, "distribution") : undefined;
    const credits = isJsonObject(body) ? memberOf(body, "credits") : undefined;
    for (const entry of Array.isArray(credits) ? credits : []) {
      if (isJsonObject(entry)) granted.add(String(memberOf(entry, "address")));
    }
  }
  return granted;
}
