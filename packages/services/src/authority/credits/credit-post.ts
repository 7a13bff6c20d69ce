import { type Connection, type CreditEntry, findCreditRequest } from "@twentysix/sdk";
import { CreditError } from "./errors.ts";

/** Where the outcome of a request stands. */
export interface CreditOutcome {
  readonly itemHash: string;
  /** False: an earlier request with the same nonce had made it. */
  readonly isNew: boolean;
}

/**
 * The post by which an earlier request with this nonce was granted; null: there is none.
 *
 * @throws CreditError NONCE_REUSED when that request was for something else
 */
export async function findGrantPost(
  connection: Connection,
  query: {
    readonly postType: string;
    readonly owner: string;
    readonly nonce: string;
    readonly entries: readonly CreditEntry[];
    readonly signal: AbortSignal;
  },
): Promise<string | null> {
  const found = await findCreditRequest(connection, { kind: "distribution", ...query });
  if (found === null) return null;
  const { itemHash, isSame } = found;
  if (isSame) return itemHash;
  throw new CreditError(
    "NONCE_REUSED",
    `the nonce was used for another request (${itemHash}): repeat that one as it was, or take a new nonce`,
    { itemHash },
  );
}
