import { decodeItemHash, encodeItemHash } from "@twentysix/protocol";
import type { Change, CreditEntry } from "@twentysix/state";
import { encodeRef } from "../../ref-bytes.ts";
import type { WriterSession } from "../writer-session.ts";
import { addExpenses } from "./expenses.ts";

/** A row of `credit_entries`, integers as bigint. */
export interface CreditEntryRow {
  readonly hash: Uint8Array;
  readonly idx: bigint;
  readonly account_id: bigint;
  readonly amount: bigint;
  readonly time_us: bigint;
  readonly expires_us: bigint | null;
  readonly price: string | null;
  readonly bonus: bigint | null;
  readonly tx_hash: string | null;
  readonly token: string | null;
  readonly chain: string | null;
  readonly origin: string | null;
  readonly origin_ref: string | null;
  readonly provider: string | null;
  readonly method: string | null;
  readonly n: bigint | null;
  readonly size_mib: string | null;
}

export const CREDIT_ENTRY_COLUMNS =
  "hash, idx, account_id, amount, time_us, expires_us, price, bonus, tx_hash, token, chain, origin, origin_ref, provider, method, n, size_mib";

/** The entry of a row. */
export function creditEntryOf(row: CreditEntryRow, address: string): CreditEntry {
  return {
    hash: decodeItemHash(row.hash),
    index: Number(row.idx),
    timeMicros: row.time_us,
    address,
    amount: row.amount,
    expirationMicros: row.expires_us,
    price: row.price,
    bonusAmount: row.bonus,
    txHash: row.tx_hash,
    token: row.token,
    chain: row.chain,
    origin: row.origin,
    originRef: row.origin_ref,
    provider: row.provider,
    paymentMethod: row.method,
    expenseCount: row.n,
    expenseSizeMib: row.size_mib,
  };
}

/** The entries that a message made; null when it made none. */
export function loadEntries(session: WriterSession, hash: string): CreditEntry[] | null {
  const rows = session.connection.allBig<CreditEntryRow>(
    `SELECT ${CREDIT_ENTRY_COLUMNS} FROM credit_entries WHERE hash = ? ORDER BY idx`,
    encodeItemHash(hash),
  );
  if (rows.length === 0) return null;
  return rows.map((row) => creditEntryOf(row, session.addresses.text(Number(row.account_id))));
}

/** Everything that ever came to an address or went from it. */
export function loadCreditHistory(session: WriterSession, address: string): CreditEntry[] {
  const id = session.addresses.find(address);
  if (id === null) return [];
  return session.connection
    .allBig<CreditEntryRow>(
      `SELECT ${CREDIT_ENTRY_COLUMNS} FROM credit_entries WHERE account_id = ? ORDER BY time_us`,
      id,
    )
    .map((row) => creditEntryOf(row, address));
}

/** Entries are added once and never change. */
export function saveEntries(session: WriterSession, { before, after }: Change<readonly CreditEntry[]>): void {
  if (before !== null || after === null) throw new Error("Entries of the credit ledger are never changed");
  for (const entry of after) insertEntry(session, entry);
  addExpenses(session, after);
}

function insertEntry(session: WriterSession, entry: CreditEntry): void {
  const resource = resourceOf(entry);
  const accountId = session.addresses.intern(entry.address);
  session.connection.run(
    `INSERT INTO credit_entries (${CREDIT_ENTRY_COLUMNS}, resource)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    encodeItemHash(entry.hash),
    entry.index,
    accountId,
    entry.amount,
    entry.timeMicros,
    entry.expirationMicros,
    entry.price,
    entry.bonusAmount,
    entry.txHash,
    entry.token,
    entry.chain,
    entry.origin,
    entry.originRef,
    entry.provider,
    entry.paymentMethod,
    entry.expenseCount,
    entry.expenseSizeMib,
    resource,
  );
  session.counters.add("creditEntries", accountId, 0, 1);
}

/** What an entry was for, encoded like `messages.ref`: its origin, else what it refers to. */
export function resourceOf({ origin, originRef }: CreditEntry): Uint8Array | null {
  const resource = origin === null || origin === "" ? originRef : origin;
  return resource === null || resource === "" ? null : encodeRef(resource);
}
