import { list, openObject, optional, required, withDefault, withRules } from "../content/composite-checks.ts";
import { float, wideInteger } from "../content/scalar-checks.ts";
import { type Check, INVALID } from "../content/validation.ts";
import type { JsonValue } from "../json/json-value.ts";
import {
  accountAddress,
  anyText,
  creditAmount,
  decimalText,
  expirationMicros,
  type LedgerContentResult,
  readLedgerContent,
} from "./ledger-checks.ts";

/*
 * Contents of the posts that credits are made of. Members that a node has no use for are not looked at.
 * Source: pyaleph `src/aleph/schemas/credit_transfer.py`, `src/aleph/handlers/content/post.py`.
 */

export interface CreditGrant {
  readonly address: string;
  readonly amount: bigint;
  readonly price: string;
  readonly txHash: string;
  readonly provider: string;
  /** null: never. */
  readonly expirationMicros: bigint | null;
  readonly origin: string | null;
  readonly ref: string | null;
  readonly paymentMethod: string | null;
  /** For information: it is part of `amount`. */
  readonly bonusAmount: bigint | null;
}

export interface CreditDistribution {
  readonly token: string;
  readonly chain: string;
  readonly grants: readonly CreditGrant[];
}

export interface CreditExpense {
  readonly address: string;
  readonly amount: bigint;
  readonly price: string | null;
  readonly ref: string | null;
  readonly executionId: string | null;
  readonly nodeId: string | null;
  /** Resources that an entry of version 2 stands for. */
  readonly count: bigint | null;
  /** MiB, a decimal text. */
  readonly sizeMib: string | null;
}

export interface CreditTransferEntry {
  readonly address: string;
  readonly amount: bigint;
  readonly expirationMicros: bigint | null;
}

const integerOrNull: Check<bigint | null> = (value) =>
  typeof value === "bigint" || Number.isSafeInteger(value) ? BigInt(value as number | bigint) : null;

const grant = openObject<{
  readonly address: string;
  readonly amount: bigint;
  readonly price: string;
  readonly tx_hash: string;
  readonly provider: string;
  readonly expiration: bigint | null;
  readonly origin: string | null;
  readonly ref: string | null;
  readonly payment_method: string | null;
  readonly bonus_amount: bigint | null;
}>({
  address: required(accountAddress),
  amount: required(creditAmount),
  price: required(decimalText),
  tx_hash: required(anyText),
  provider: required(anyText),
  expiration: withDefault(expirationMicros, () => null),
  origin: optional(anyText),
  ref: optional(anyText),
  payment_method: optional(anyText),
  bonus_amount: withDefault(integerOrNull, () => null),
});

const distribution = openObject({
  distribution: required(
    openObject({
      token: required(anyText),
      chain: required(anyText),
      credits: required(list(grant, { min: 1 })),
    }),
  ),
});

/** Reads `content.content` of a distribution: who is granted what. */
export function readCreditDistribution(content: JsonValue): LedgerContentResult<CreditDistribution> {
  const result = readLedgerContent("credit distribution", content, distribution);
  if (!result.ok) return result;
  const { token, chain, credits } = result.value.distribution;
  const grants = credits.map((entry) => ({
    address: entry.address,
    amount: entry.amount,
    price: entry.price,
    txHash: entry.tx_hash,
    provider: entry.provider,
    expirationMicros: entry.expiration,
    origin: entry.origin,
    ref: entry.ref,
    paymentMethod: entry.payment_method,
    bonusAmount: entry.bonus_amount,
  }));
  return { ok: true, value: { token, chain, grants } };
}

const sizeMib: Check<string> = (value, at) => {
  const text = decimalText(value, at);
  if (text === INVALID || !text.startsWith("-")) return text;
  return at.fail("greater_than_equal", "Input should be greater than or equal to 0", value);
};

const expense = openObject({
  expense: required(
    openObject({
      credits: required(
        list(
          openObject<{
            readonly address: string;
            readonly amount: bigint;
            readonly price: string | null;
            readonly ref: string | null;
            readonly execution_id: string | null;
            readonly node_id: string | null;
            readonly time: number | null;
            readonly count: number | bigint | null;
            readonly size: string | null;
          }>({
            address: required(accountAddress),
            amount: required(creditAmount),
            price: optional(decimalText),
            ref: optional(anyText),
            execution_id: optional(anyText),
            node_id: optional(anyText),
            time: optional(float),
            count: optional(wideInteger({ min: 0, max: 2n ** 62n })),
            size: optional(sizeMib),
          }),
          { min: 1 },
        ),
      ),
    }),
  ),
});

/** Reads `content.content` of an expense: what is taken from whom. */
export function readCreditExpense(content: JsonValue): LedgerContentResult<readonly CreditExpense[]> {
  const result = readLedgerContent("credit expense", content, expense);
  if (!result.ok) return result;
  const entries = result.value.expense.credits.map((entry) => ({
    address: entry.address,
    amount: entry.amount,
    price: entry.price,
    ref: entry.ref,
    executionId: entry.execution_id,
    nodeId: entry.node_id,
    count: entry.count === null ? null : BigInt(entry.count),
    sizeMib: entry.size,
  }));
  return { ok: true, value: entries };
}

const transferEntry = openObject<{
  readonly address: string;
  readonly amount: bigint;
  readonly expiration: bigint | null;
}>({
  address: required(accountAddress),
  amount: required(creditAmount),
  expiration: withDefault(expirationMicros, () => null),
});

/** Reads `content.content` of a transfer. Nobody sends to himself, or to one account twice. */
export function readCreditTransfer(
  content: JsonValue,
  sender: string,
): LedgerContentResult<readonly CreditTransferEntry[]> {
  const entries = withRules(
    list(transferEntry, { min: 1 }),
    (credits) =>
      credits.some(({ address }) => address === sender) ? "sender and recipient are the same" : null,
    (credits) =>
      new Set(credits.map(({ address }) => address)).size < credits.length
        ? "a recipient is listed twice"
        : null,
  );
  const transfer = openObject({ transfer: required(openObject({ credits: required(entries) })) });
  const result = readLedgerContent("credit transfer", content, transfer);
  if (!result.ok) return result;
  const value = result.value.transfer.credits.map(({ address, amount, expiration }) => ({
    address,
    amount,
    expirationMicros: expiration,
  }));
  return { ok: true, value };
}
