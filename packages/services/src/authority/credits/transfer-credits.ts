import type { Account } from "@twentysix/protocol";
import { type CreditEntry, type CreditOutcome, findRequest } from "./credit-post.ts";
import type { CreditServices } from "./grant-credits.ts";
import { nonceTag } from "./nonce.ts";

export interface TransferRequest {
  /** Who sends. */
  readonly account: Account;
  readonly entries: readonly CreditEntry[];
  /** Unix milliseconds; null: as long as the credits of the sender last. */
  readonly expirationMs: number | null;
  /** The same nonce and entries are sent once. */
  readonly nonce: string;
}

/**
 * Sends credits, once for each nonce. Dated now: only credits that were granted before can be sent.
 *
 * Errors: SDK_REJECTED with what is there and what is missing, CreditError NONCE_REUSED, those of
 * `Publisher.publish` and `listPosts`.
 */
export async function transferCredits(
  { connection, publisher, credits }: CreditServices,
  { account, entries, expirationMs, nonce }: TransferRequest,
  signal: AbortSignal,
): Promise<CreditOutcome> {
  const type = credits.transferPostType;
  const owner = account.address;
  const known = await findRequest(connection, { kind: "transfer", type, owner, nonce, entries, signal });
  if (known !== null) return { itemHash: known, isNew: false };
  const lines = entries.map(({ address, amount }) => ({
    address,
    amount,
    ...(expirationMs === null ? {} : { expiration: expirationMs }),
  }));
  const itemHash = await publisher.publish(
    {
      account,
      type: "POST",
      content: {
        type,
        content: { tags: ["credit_transfer", nonceTag(nonce)], transfer: { credits: lines } },
      },
      channel: credits.channels[0] ?? null,
    },
    signal,
  );
  return { itemHash, isNew: true };
}
