import { encodeHex } from "@twentysix/protocol";
import type { CreditEntry } from "@twentysix/state";
import type { WriterSession } from "../writer-session.ts";
import { resourceOf } from "./credit-entries.ts";

/** How entries of expenses are named. */
const EXPENSE = "credit_expense";
/** Stands for all accounts together in `spent_credits`. */
const EVERY_ACCOUNT = 0;

const TABLES = {
  consumed_credits: "resource",
  spent_credits: "account_id",
} as const;

/** Adds the expenses among the entries of a message to what was spent for each resource, and by each account. */
export function addExpenses(session: WriterSession, entries: readonly CreditEntry[]): void {
  const consumed = new Map<string, { readonly resource: Uint8Array; credits: bigint }>();
  const spent = new Map<number, bigint>();
  for (const entry of entries) {
    if (entry.paymentMethod !== EXPENSE || entry.amount >= 0n) continue;
    const credits = -entry.amount;
    const resource = resourceOf(entry);
    if (resource !== null) {
      const name = encodeHex(resource);
      consumed.set(name, { resource, credits: (consumed.get(name)?.credits ?? 0n) + credits });
    }
    for (const id of [session.addresses.intern(entry.address), EVERY_ACCOUNT])
      spent.set(id, (spent.get(id) ?? 0n) + credits);
  }
  for (const { resource, credits } of consumed.values()) add(session, "consumed_credits", resource, credits);
  for (const [id, credits] of spent) add(session, "spent_credits", id, credits);
}

function add(
  session: WriterSession,
  table: keyof typeof TABLES,
  key: Uint8Array | number,
  credits: bigint,
): void {
  const column = TABLES[table];
  const known = session.connection.get<{ credits: string }>(
    `SELECT credits FROM ${table} WHERE ${column} = ?`,
    key,
  );
  session.connection.run(
    `INSERT INTO ${table} (${column}, credits) VALUES (?, ?)
     ON CONFLICT (${column}) DO UPDATE SET credits = excluded.credits`,
    key,
    (BigInt(known?.credits ?? "0") + credits).toString(),
  );
}
