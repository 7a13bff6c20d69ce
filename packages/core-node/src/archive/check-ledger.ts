import { decodeItemHash } from "@twentysix/protocol";
import type { LedgerRules } from "@twentysix/state";
import type { SqlConnection } from "@twentysix/storage";
import { ACCOUNT_COLUMNS, type AccountRow, checkAccount } from "../ledger/check-account.ts";
import type { Problems } from "./problems.ts";

/*
 * The ledger is kept as running sums; here each of them is computed anew from the rows that it sums up.
 */

const KIND = "ledger";

/** Compares every account with its balances, its history and its costs, and the costs with their messages. */
export function checkLedger(
  stored: SqlConnection,
  rules: Pick<LedgerRules, "freeItemsUncounted">,
  problems: Problems,
): void {
  for (const { kind, query } of RULES)
    for (const { hash } of stored.all<{ hash: Uint8Array }>(query))
      problems.report(KIND, `${decodeItemHash(hash)} ${kind}`);
  for (const row of stored.iterateBig<AccountRow>(`SELECT ${ACCOUNT_COLUMNS} FROM accounts`))
    for (const problem of checkAccount(stored, rules, row)) problems.report(KIND, problem);
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
  {
    kind: "has the bill of a removed message and is not removed",
    query: "SELECT i.hash FROM removed_bills b JOIN items i ON i.id = b.id WHERE i.status <> 5",
  },
  {
    kind: "was removed with a bill by a price list that is not known",
    query:
      "SELECT i.hash FROM removed_bills b JOIN items i ON i.id = b.id WHERE b.price_list_id NOT IN (SELECT id FROM price_lists)",
  },
];

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
