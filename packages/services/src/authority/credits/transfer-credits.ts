import type { Account } from "@twentysix/protocol";
import { isSdkError } from "@twentysix/sdk";
import { type CreditEntry, type CreditOutcome, findRequest } from "./credit-post.ts";
import { CreditError } from "./errors.ts";
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
 * Errors: CreditError CREDITS_INSUFFICIENT and NONCE_REUSED, those of
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
  const content = { tags: ["credit_transfer", nonceTag(nonce)], transfer: { credits: lines } };
  const channel = credits.channels[0] ?? null;
  try {
    const itemHash = await publisher.publish(
      { account, type: "POST", content: { type, content }, channel },
      signal,
    );
    return { itemHash, isNew: true };
  } catch (error) {
    throw insufficiency(account.address, error) ?? error;
  }
}

/** How much is missing, when the node refused because of that. */
function insufficiency(address: string, error: unknown): CreditError<"CREDITS_INSUFFICIENT"> | null {
  if (!isSdkError(error, "SDK_REJECTED")) return null;
  const figures = /(\d+) credits are required, (\d+) are available/.exec(error.message);
  if (figures === null) return null;
  const [required, available] = [BigInt(figures[1] ?? 0), BigInt(figures[2] ?? 0)];
  const text = `${address} has ${available} credits and ${required} are to be sent: ${required - available} are missing`;
  return new CreditError("CREDITS_INSUFFICIENT", text, { required, available });
}
