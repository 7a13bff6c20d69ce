import { decodeItemHash } from "@twentysix/protocol";
import { type CreditEntry, compareEntries, replayLots } from "@twentysix/state";
import {
  CREDIT_ENTRY_COLUMNS,
  type CreditEntryRow,
  creditEntryOf,
  type SqlConnection,
} from "@twentysix/storage";
import type { Problems } from "./problems.ts";

/*
 * The ledger is kept as running sums; here each of them is computed anew from the rows that it sums up.
 */

const KIND = "ledger";

interface AccountRow {
  readonly id: bigint;
  readonly address: string;
  readonly tokens: string;
  readonly removable: bigint;
  readonly removing: bigint;
  readonly credits_in: string;
  readonly credits_out: string;
  readonly last_us: bigint | null;
}

/** Compares every account with its balances, its history and its costs, and the costs with their messages. */
export function checkLedger(stored: SqlConnection, problems: Problems): void {
  for (const { kind, query } of RULES)
    for (const { hash } of stored.all<{ hash: Uint8Array }>(query))
      problems.report(KIND, `${decodeItemHash(hash)} ${kind}`);
  for (const row of stored.iterateBig<AccountRow>(
    "SELECT id, address, tokens, removable, removing, credits_in, credits_out, last_us FROM accounts",
  ))
    checkAccount(stored, row, problems);
  checkTotals(stored, problems);
  checkConsumed(stored, problems);
}

const RULES: readonly { readonly kind: string; readonly query: string }[] = [
  {
    kind: "has a cost and is not live",
    query: "SELECT hash FROM costs WHERE id NOT IN (SELECT id FROM messages)",
  },
  {
    kind: "has a cost under another hash",
    query: "SELECT c.hash FROM costs c JOIN items i ON i.id = c.id WHERE i.hash <> c.hash",
  },
  {
    kind: "is about to be removed and nothing says until when",
    query: "SELECT hash FROM items WHERE status = 4 AND id NOT IN (SELECT id FROM removals)",
  },
  {
    kind: "has a date of removal and is not about to be removed",
    query: "SELECT i.hash FROM removals r JOIN items i ON i.id = r.id WHERE i.status <> 4",
  },
  {
    kind: "has a cost by a price list that is not known",
    query: "SELECT hash FROM costs WHERE price_list_id NOT IN (SELECT id FROM price_lists)",
  },
];

function checkAccount(stored: SqlConnection, account: AccountRow, problems: Problems): void {
  const report = (what: string, found: unknown, expected: unknown): void => {
    if (String(found) !== String(expected))
      problems.report(KIND, `${what} of ${account.address} are ${found}, computed ${expected}`);
  };
  const sum = (query: string, ...parameters: (bigint | string)[]): bigint =>
    stored
      .allBig<{ n: bigint | string }>(query, ...parameters)
      .reduce((total, { n }) => total + BigInt(n), 0n);
  const { id, address } = account;
  report(
    "the tokens",
    account.tokens,
    sum("SELECT tokens AS n FROM balances WHERE address = ? AND dapp = ''", address),
  );
  const history = historyOf(stored, id, address);
  report("the lots", lotsIn(stored, id), lotTexts(history));
  const [credited, spent] = [
    history.filter(({ amount }) => amount > 0n),
    history.filter(({ amount }) => amount < 0n),
  ];
  report(
    "the credits that came in",
    account.credits_in,
    credited.reduce((total, { amount }) => total + amount, 0n),
  );
  report(
    "the credits that went out",
    account.credits_out,
    spent.reduce((total, { amount }) => total - amount, 0n),
  );
  report("the last entry's time", account.last_us, history.at(-1)?.timeMicros ?? null);
  report(
    "the messages that can be removed",
    account.removable,
    sum("SELECT removable AS n FROM costs WHERE owner_id = ?", id),
  );
  report(
    "the messages about to be removed",
    account.removing,
    sum("SELECT 1 AS n FROM removals WHERE owner_id = ?", id),
  );
}

function historyOf(stored: SqlConnection, accountId: bigint, address: string): CreditEntry[] {
  return stored
    .allBig<CreditEntryRow>(
      `SELECT ${CREDIT_ENTRY_COLUMNS} FROM credit_entries WHERE account_id = ?`,
      accountId,
    )
    .map((row) => creditEntryOf(row, address))
    .sort(compareEntries);
}

const lotTexts = (history: readonly CreditEntry[]): string =>
  replayLots(history)
    .map(({ hash, index, remaining }) => `${hash} ${index} ${remaining}`)
    .sort()
    .join(", ");

function lotsIn(stored: SqlConnection, accountId: bigint): string {
  return stored
    .allBig<{ hash: Uint8Array; idx: bigint; remaining: bigint }>(
      "SELECT hash, idx, remaining FROM credit_lots WHERE account_id = ?",
      accountId,
    )
    .map(({ hash, idx, remaining }) => `${decodeItemHash(hash)} ${idx} ${remaining}`)
    .sort()
    .join(", ");
}

interface Totals {
  n: bigint;
  hold: bigint;
  stream: bigint;
  credit: bigint;
}

/** Sums of costs by owner and payment type, and those of everyone. */
function checkTotals(stored: SqlConnection, problems: Problems): void {
  const computed = new Map<string, Totals>();
  for (const row of stored.iterateBig<{
    owner_id: bigint;
    payment: bigint;
    hold: string;
    stream: string;
    credit: string;
  }>("SELECT owner_id, payment, hold, stream, credit FROM costs")) {
    for (const owner of [row.owner_id, 0n]) {
      const key = `${owner} ${row.payment}`;
      const totals = computed.get(key) ?? { n: 0n, hold: 0n, stream: 0n, credit: 0n };
      totals.n += 1n;
      totals.hold += BigInt(row.hold);
      totals.stream += BigInt(row.stream);
      totals.credit += BigInt(row.credit);
      computed.set(key, totals);
    }
  }
  for (const row of stored.iterateBig<{
    owner_id: bigint;
    payment: bigint;
    n: bigint;
    hold: string;
    stream: string;
    credit: string;
  }>("SELECT owner_id, payment, n, hold, stream, credit FROM cost_totals")) {
    const key = `${row.owner_id} ${row.payment}`;
    const expected = computed.get(key) ?? { n: 0n, hold: 0n, stream: 0n, credit: 0n };
    computed.delete(key);
    if (`${row.n} ${row.hold} ${row.stream} ${row.credit}` !== textOf(expected))
      problems.report(KIND, `the sum of costs of owner and payment ${key} is not that of its costs`);
  }
  for (const key of computed.keys())
    problems.report(KIND, `the sum of costs of owner and payment ${key} is missing`);
}

const textOf = ({ n, hold, stream, credit }: Totals): string => `${n} ${hold} ${stream} ${credit}`;

/** What expenses took for each resource. */
function checkConsumed(stored: SqlConnection, problems: Problems): void {
  const computed = new Map<string, bigint>();
  for (const { resource, amount } of stored.iterateBig<{ resource: Uint8Array; amount: bigint }>(
    "SELECT resource, amount FROM credit_entries WHERE resource IS NOT NULL AND method = 'credit_expense' AND amount < 0",
  )) {
    const key = Buffer.from(resource).toString("hex");
    computed.set(key, (computed.get(key) ?? 0n) - amount);
  }
  for (const { resource, credits } of stored.iterateBig<{ resource: Uint8Array; credits: string }>(
    "SELECT resource, credits FROM consumed_credits",
  )) {
    const key = Buffer.from(resource).toString("hex");
    if (computed.get(key)?.toString() !== credits)
      problems.report(KIND, `the credits consumed for resource ${key} are not those of its expenses`);
    computed.delete(key);
  }
  for (const key of computed.keys())
    problems.report(KIND, `the credits consumed for resource ${key} are not summed up`);
}
