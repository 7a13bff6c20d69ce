import type { Clock } from "@twentysix/platform";
import type { Account, Authorities } from "@twentysix/protocol";
import { type Connection, type CreditEntry, creditNonceTag } from "@twentysix/sdk";
import type { Publisher } from "../../publishing/publisher.ts";
import { type CreditOutcome, findGrantPost } from "./credit-post.ts";
import { grantTimeMicros } from "./nonce.ts";

/** What issuing credits needs. */
export interface CreditServices {
  readonly connection: Connection;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly credits: Authorities["credits"];
}

export interface GrantRequest {
  /** An authority of credits. */
  readonly account: Account;
  readonly entries: readonly CreditEntry[];
  /** Unix milliseconds; null: never. */
  readonly expirationMs: number | null;
  /** The same nonce and entries are granted once. */
  readonly nonce: string;
  /** Why: `faucet`, `development`, `grant`. */
  readonly origin: string;
  /** Further words by which the post is found. */
  readonly tags?: readonly string[];
}

/** What a credit is worth on a network that sells none: a millionth of a dollar. */
export const CREDIT_PRICE = "0.000001";

/**
 * Issues credits, once for each nonce however often it is asked for.
 *
 * Errors: CreditError NONCE_REUSED, those of `Publisher.publish` and `listPosts`.
 */
export async function grantCredits(
  services: CreditServices,
  request: GrantRequest,
  signal: AbortSignal,
): Promise<CreditOutcome> {
  const known = await findGrant(services, request, signal);
  if (known !== null) return { itemHash: known, isNew: false };
  return { itemHash: await issueCredits(services, request, signal), isNew: true };
}

/** The item hash of what an earlier request with the nonce was granted; null: nothing yet. */
export async function findGrant(
  { connection, publisher, credits }: CreditServices,
  { account, nonce, entries }: GrantRequest,
  signal: AbortSignal,
): Promise<string | null> {
  await publisher.settleEarlier(signal);
  const postType = credits.distributionPostType;
  const owner = account.address;
  return await findGrantPost(connection, { postType, owner, nonce, entries, signal });
}

/** Issues credits without asking whether it was done before. Errors: those of `Publisher.publish`. */
export async function issueCredits(
  { publisher, clock, credits }: CreditServices,
  { account, entries, expirationMs, nonce, origin, tags = [] }: GrantRequest,
  signal: AbortSignal,
): Promise<string> {
  const tag = creditNonceTag(nonce);
  const lines = entries.map(({ address, amount }) => ({
    address,
    amount,
    price: CREDIT_PRICE,
    tx_hash: tag,
    provider: "authority",
    origin,
    payment_method: "grant",
    ...(expirationMs === null ? {} : { expiration: expirationMs }),
  }));
  const distribution = { token: "CREDIT", chain: account.chain, credits: lines };
  const content = { tags: ["credit_distribution", tag, ...tags], distribution };
  return await publisher.publish(
    {
      account,
      type: "POST",
      content: { type: credits.distributionPostType, content },
      channel: credits.channels[0] ?? null,
      timeMicros: grantTimeMicros(nonce, clock.nowMicros()),
    },
    signal,
  );
}
