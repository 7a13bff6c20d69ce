import { type BillableRun, type ExpenseLine, executionLine, storageLine } from "./expense-lines.ts";
import type { BilledPayment } from "./used-resources.ts";

/** What an expense post says under one key; the parts of a period go through what ran in the order of keys. */
export interface ExpenseEntry {
  readonly key: string;
  /** What is debited; null: nothing. */
  readonly credit: ExpenseLine | null;
  /** What is paid by holding tokens; null: nothing. */
  readonly hold: ExpenseLine | null;
}

export interface PaidRun extends BillableRun {
  readonly payment: BilledPayment;
}

/** What an owner stores: one line for each way of paying. */
export function storageEntry(owner: string, files: readonly PaidRun[]): ExpenseEntry {
  const lineOf = (payment: BilledPayment): ExpenseLine | null =>
    storageLine(
      owner,
      files.filter((file) => file.payment === payment),
    );
  return { key: owner, credit: lineOf("credit"), hold: lineOf("hold") };
}

/** What an owner runs, one entry each; the runs come in the order of item hashes. */
export function executionEntries(owner: string, runs: readonly PaidRun[]): ExpenseEntry[] {
  const byHash = new Map<string, PaidRun[]>();
  for (const run of runs) {
    const others = byHash.get(run.itemHash);
    if (others === undefined) byHash.set(run.itemHash, [run]);
    else others.push(run);
  }
  return [...byHash].map(([itemHash, ofOne]) => ({
    key: executionKey(owner, itemHash),
    credit: executionLine(ofOne.filter(({ payment }) => payment === "credit")),
    hold: executionLine(ofOne.filter(({ payment }) => payment === "hold")),
  }));
}

export const executionKey = (owner: string, itemHash: string): string => `${owner} ${itemHash}`;
