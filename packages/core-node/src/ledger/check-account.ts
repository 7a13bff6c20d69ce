import { decodeItemHash, type PricedPaymentType } from "@twentysix/protocol";
import { type CreditEntry, compareEntries, type LedgerRules, replayLots } from "@twentysix/state";
import {
  CREDIT_ENTRY_COLUMNS,
  type CreditEntryRow,
  creditEntryOf,
  paymentOfCode,
  type SqlConnection,
} from "@twentysix/storage/writer";

/*
 * An account is kept as running sums, its credits as what is left of each lot. Here all of them are computed anew from
 * the rows that they sum up.
 */

/** An account as it is stored. */
export interface AccountRow {
  readonly id: bigint;
  readonly address: string;
  readonly tokens: string;
  readonly held: string;
  readonly streamed: string;
  readonly credit_rate: string;
  readonly removable: bigint;
  readonly removing: bigint;
  readonly credits_in: string;
  readonly credits_out: string;
  readonly last_us: bigint | null;
}

export const ACCOUNT_COLUMNS =
  "id, address, tokens, held, streamed, credit_rate, removable, removing, credits_in, credits_out, last_us";

interface CostRow {
  readonly payment: bigint;
  readonly hold: string;
  readonly stream: string;
  readonly credit: string;
  readonly billed: bigint;
  readonly removable: bigint;
}

/** Compares an account with its balances, its history and its costs. Each line says what is wrong. */
export function checkAccount(
  connection: SqlConnection,
  rules: Pick<LedgerRules, "freeItemsUncounted">,
  account: AccountRow,
): string[] {
  const { id, address } = account;
  const problems: string[] = [];
  const compare = (what: string, found: unknown, expected: unknown): void => {
    if (String(found) !== String(expected))
      problems.push(`${what} of ${address} are ${found}, computed ${expected}`);
  };
  const balances = connection.all<{ tokens: string }>(
    "SELECT tokens FROM balances WHERE address = ? AND dapp = ''",
    address,
  );
  compare(
    "the tokens",
    account.tokens,
    sumOf(balances, ({ tokens }) => BigInt(tokens)),
  );
  compareCredits(connection, account, compare);
  compareCosts(connection, rules, account, compare);
  const removing = connection.getBig<{ n: bigint }>(
    "SELECT count(*) AS n FROM removals WHERE owner_id = ?",
    id,
  );
  compare("the messages about to be removed", account.removing, removing?.n);
  return problems;
}

type Compare = (what: string, found: unknown, expected: unknown) => void;

function compareCredits(connection: SqlConnection, account: AccountRow, compare: Compare): void {
  const history = historyOf(connection, account);
  compare("the lots", lotsIn(connection, account.id), lotTexts(history));
  const credited = sumOf(history, ({ amount }) => (amount > 0n ? amount : 0n));
  const spent = sumOf(history, ({ amount }) => (amount < 0n ? -amount : 0n));
  compare("the credits that came in", account.credits_in, credited);
  compare("the credits that went out", account.credits_out, spent);
  compare("the last entry's time", account.last_us, history.at(-1)?.timeMicros ?? null);
}

function compareCosts(
  connection: SqlConnection,
  { freeItemsUncounted }: Pick<LedgerRules, "freeItemsUncounted">,
  account: AccountRow,
  compare: Compare,
): void {
  const costs = connection.allBig<CostRow>(
    "SELECT payment, hold, stream, credit, billed, removable FROM costs WHERE owner_id = ?",
    account.id,
  );
  const counted = costs.filter(({ billed }) => billed === 1n || !freeItemsUncounted);
  const due = (payment: PricedPaymentType, amountOf: (cost: CostRow) => string): bigint =>
    sumOf(counted, (cost) => (paymentOfCode(Number(cost.payment)) === payment ? BigInt(amountOf(cost)) : 0n));
  compare(
    "the tokens to be held",
    account.held,
    due("hold", ({ hold }) => hold),
  );
  compare(
    "the tokens a second",
    account.streamed,
    due("superfluid", ({ stream }) => stream),
  );
  compare(
    "the credits a second",
    account.credit_rate,
    due("credit", ({ credit }) => credit),
  );
  compare(
    "the messages that can be removed",
    account.removable,
    sumOf(costs, ({ removable }) => removable),
  );
}

function sumOf<Row>(rows: readonly Row[], amountOf: (row: Row) => bigint): bigint {
  return rows.reduce((total, row) => total + amountOf(row), 0n);
}

function historyOf(connection: SqlConnection, { id, address }: AccountRow): CreditEntry[] {
  return connection
    .allBig<CreditEntryRow>(`SELECT ${CREDIT_ENTRY_COLUMNS} FROM credit_entries WHERE account_id = ?`, id)
    .map((row) => creditEntryOf(row, address))
    .sort(compareEntries);
}

const lotTexts = (history: readonly CreditEntry[]): string =>
  replayLots(history)
    .map(({ hash, index, remaining }) => `${hash} ${index} ${remaining}`)
    .sort()
    .join(", ");

function lotsIn(connection: SqlConnection, accountId: bigint): string {
  return connection
    .allBig<{ hash: Uint8Array; idx: bigint; remaining: bigint }>(
      "SELECT hash, idx, remaining FROM credit_lots WHERE account_id = ?",
      accountId,
    )
    .map(({ hash, idx, remaining }) => `${decodeItemHash(hash)} ${idx} ${remaining}`)
    .sort()
    .join(", ");
}
