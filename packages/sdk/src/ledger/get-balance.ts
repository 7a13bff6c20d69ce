import type { Connection } from "../connection.ts";
import { type AnswerObject, getObject } from "../http/answer-json.ts";
import { buildQuery } from "../http/query.ts";
import { readInteger } from "./read-integer.ts";

export interface GetBalanceParameters {
  /** In the exact case in which it was written. */
  readonly address: string;
  readonly signal?: AbortSignal | undefined;
}

/** Credits that end together. */
export interface CreditPart {
  readonly amount: bigint;
  /** ISO 8601; null: they do not end. */
  readonly expirationDate: string | null;
}

export interface AddressBalance {
  /** Tokens on all chains, without those inside applications. */
  readonly tokens: number;
  /** Tokens that are held for what the address runs and stores. */
  readonly lockedTokens: number;
  readonly credits: bigint;
  /** Those that never end first, then by the date of their end. */
  readonly creditParts: readonly CreditPart[];
}

/**
 * What an address has. An address that nobody knows has nothing.
 *
 * Errors: SDK_BAD_ANSWER and those of `request`.
 *
 * @example
 * const { credits } = await getBalance(connection, { address: account.address });
 */
export async function getBalance(
  connection: Connection,
  { address, signal }: GetBalanceParameters,
): Promise<AddressBalance> {
  const answer = await getObject(connection, {
    path: `/api/v0/addresses/${encodeURIComponent(address)}/balance`,
    query: buildQuery({ include_credit_details: true }),
    signal,
  });
  return {
    tokens: answer.number("balance"),
    lockedTokens: answer.number("locked_amount"),
    credits: readInteger(answer, "credit_balance"),
    creditParts: answer.objects("credit_balance_details").map(readPart),
  };
}

const readPart = (part: AnswerObject): CreditPart => ({
  amount: readInteger(part, "amount"),
  expirationDate: part.textOrNull("expiration_date"),
});
