import type { SqlConnection } from "../../sql/connection.ts";
import type { Dictionaries } from "../dictionary.ts";
import type { BalanceView, CreditAmount } from "./ledger-views.ts";
import { PAYMENT_CODE } from "./payment-code.ts";

const BY_CHAIN = "SELECT chain, tokens FROM balances WHERE address = ? AND dapp = '' ORDER BY chain";
const LOCKED = `SELECT hold FROM cost_totals WHERE owner_id = ? AND payment = ${PAYMENT_CODE.hold}`;
/** Two halves, since a sum of 64-bit integers may not be one. */
const SUMS = `sum(remaining / ${2 ** 31}) AS high, sum(remaining % ${2 ** 31}) AS low`;
const UNEXPIRED = "account_id = ? AND (expires_us IS NULL OR expires_us > ?)";
const CREDITS = `SELECT ${SUMS} FROM credit_lots WHERE ${UNEXPIRED}`;
const AMOUNTS = `SELECT expires_us, ${SUMS} FROM credit_lots WHERE ${UNEXPIRED}
  GROUP BY expires_us ORDER BY expires_us NULLS FIRST LIMIT 10000`;

interface Halves {
  readonly high: bigint | null;
  readonly low: bigint | null;
}

/** An address that is not known has nothing. */
export function balanceOf(
  connection: SqlConnection,
  { addresses }: Dictionaries,
  address: string,
  nowMicros: bigint,
): BalanceView {
  const byChain = connection
    .all<{ chain: string; tokens: string }>(BY_CHAIN, address)
    .map(({ chain, tokens }) => ({ chain, tokensAtto: BigInt(tokens) }));
  const id = addresses.idOf(address);
  if (id === null) return { byChain, lockedAtto: 0n, credits: 0n };
  const locked = connection.get<{ hold: string }>(LOCKED, id);
  return {
    byChain,
    lockedAtto: BigInt(locked?.hold ?? "0"),
    credits: joined(connection.getBig<Halves>(CREDITS, id, nowMicros)),
  };
}

export function creditAmounts(
  connection: SqlConnection,
  { addresses }: Dictionaries,
  address: string,
  nowMicros: bigint,
): CreditAmount[] {
  const id = addresses.idOf(address);
  if (id === null) return [];
  return connection
    .allBig<Halves & { expires_us: bigint | null }>(AMOUNTS, id, nowMicros)
    .map((row) => ({ expirationMicros: row.expires_us, amount: joined(row) }));
}

/** Credits of an account by its id. */
export function creditsOfAccount(connection: SqlConnection, id: number, nowMicros: bigint): bigint {
  return joined(connection.getBig<Halves>(CREDITS, id, nowMicros));
}

const joined = (row: Halves | undefined): bigint => (row?.high ?? 0n) * 2n ** 31n + (row?.low ?? 0n);
