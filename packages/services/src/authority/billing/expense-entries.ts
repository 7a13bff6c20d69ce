import { formatAtto, type JsonObject } from "@twentysix/protocol";

/** Something live that credits pay for. */
export interface BillableResource {
  readonly itemHash: string;
  readonly owner: string;
  readonly creditAttoPerSecond: bigint;
  /** How long it is billed for in this period. */
  readonly micros: bigint;
  readonly sizeMib: number;
  /** Compute node that runs it; null where none is known. */
  readonly nodeId: string | null;
}

/** One line of an expense post, with the key that says how far the parts of a period have come. */
export interface ExpenseEntry {
  readonly key: string;
  readonly amount: bigint;
  readonly line: JsonObject;
}

const ATTO_MICROS = 10n ** 24n;

/** Credits of a rate over a time, rounded up: what is used costs something. */
export function creditsOf(
  resources: readonly Pick<BillableResource, "creditAttoPerSecond" | "micros">[],
): bigint {
  const used = resources.reduce(
    (sum, { creditAttoPerSecond, micros }) => sum + creditAttoPerSecond * micros,
    0n,
  );
  return (used + ATTO_MICROS - 1n) / ATTO_MICROS;
}

/** What an address stores, in one line (version 2 of the format); null when it comes to nothing. */
export function storageEntry(owner: string, files: readonly BillableResource[]): ExpenseEntry | null {
  const used = files.filter(isUsed);
  const amount = creditsOf(used);
  if (amount === 0n) return null;
  const rate = used.reduce((sum, { creditAttoPerSecond }) => sum + creditAttoPerSecond, 0n);
  const weighted = used.reduce(
    (sum, { creditAttoPerSecond, micros }) => sum + creditAttoPerSecond * micros,
    0n,
  );
  const line = {
    address: owner,
    amount,
    ref: "storage",
    count: used.length,
    size: roundMib(used.reduce((sum, { sizeMib }) => sum + sizeMib, 0)),
    price: priceText(rate),
    // Files of this period count for a part of it: the mean over what each costs, so that price × time is the amount.
    time: Number(weighted / rate) / 1e6,
  };
  return { key: owner, amount, line };
}

/** One execution; null when it comes to nothing. */
export function executionEntry(execution: BillableResource, priceListHash: string): ExpenseEntry | null {
  if (!isUsed(execution)) return null;
  const { owner, itemHash, nodeId, creditAttoPerSecond, micros } = execution;
  const amount = creditsOf([execution]);
  const line = {
    address: owner,
    amount,
    ref: priceListHash,
    execution_id: itemHash,
    ...(nodeId === null ? {} : { node_id: nodeId }),
    price: priceText(creditAttoPerSecond),
    time: Number(micros) / 1e6,
  };
  return { key: executionKey(owner, itemHash), amount, line };
}

export const executionKey = (owner: string, itemHash: string): string => `${owner} ${itemHash}`;

const isUsed = ({ creditAttoPerSecond, micros }: BillableResource): boolean =>
  creditAttoPerSecond > 0n && micros > 0n;

/** Without the zeros at its end. */
const priceText = (atto: bigint): string => formatAtto(atto).replace(/\.?0+$/, "");

const roundMib = (sizeMib: number): number => Math.round(sizeMib * 1e6) / 1e6;
