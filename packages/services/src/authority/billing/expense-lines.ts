import { formatAtto, type JsonObject } from "@twentysix/protocol";

/** A part of a period in which something ran. */
export interface BillableRun {
  readonly itemHash: string;
  readonly owner: string;
  readonly creditAttoPerSecond: bigint;
  /** How long it is billed for in this period. */
  readonly micros: bigint;
  readonly sizeMib: number;
  /** Compute node that runs it; null where none is known. */
  readonly nodeId: string | null;
  /** Name of the price list that it is billed by; null where none is known. */
  readonly priceListHash: string | null;
}

/** One line of an expense post. */
export interface ExpenseLine {
  readonly amount: bigint;
  /** Files or executions that it stands for. */
  readonly count: number;
  readonly json: JsonObject;
}

const ATTO_MICROS = 10n ** 24n;

/** Credits of a rate over a time, rounded up: what is used costs something. */
export function creditsOf(runs: readonly Pick<BillableRun, "creditAttoPerSecond" | "micros">[]): bigint {
  return (usedBy(runs) + ATTO_MICROS - 1n) / ATTO_MICROS;
}

const usedBy = (runs: readonly Pick<BillableRun, "creditAttoPerSecond" | "micros">[]): bigint =>
  runs.reduce((sum, { creditAttoPerSecond, micros }) => sum + creditAttoPerSecond * micros, 0n);

/** What an address stores, in one line (version 2 of the format); null when it comes to nothing. */
export function storageLine(owner: string, files: readonly BillableRun[]): ExpenseLine | null {
  const used = files.filter(isUsed);
  const amount = creditsOf(used);
  if (amount === 0n) return null;
  // One that was removed and came back has two runs and is one file.
  const stored = [...new Map(used.map((file) => [file.itemHash, file])).values()];
  const rate = stored.reduce((sum, { creditAttoPerSecond }) => sum + creditAttoPerSecond, 0n);
  const json = {
    address: owner,
    amount,
    ref: "storage",
    count: stored.length,
    size: roundMib(stored.reduce((sum, { sizeMib }) => sum + sizeMib, 0)),
    price: priceText(rate),
    // What came or went counts for a part of it: the mean over what each costs, so that price × time is the amount.
    time: Number(usedBy(used) / rate) / 1e6,
  };
  return { amount, count: stored.length, json };
}

/**
 * One execution; null when it comes to nothing. One that was away in between has several runs, whose prices may
 * differ: the line tells the latest, and the time at which that comes to the amount.
 */
export function executionLine(runs: readonly BillableRun[]): ExpenseLine | null {
  const used = runs.filter(isUsed);
  const latest = used.at(-1);
  if (latest === undefined) return null;
  const { owner, itemHash, nodeId, creditAttoPerSecond, priceListHash } = latest;
  const amount = creditsOf(used);
  const json = {
    address: owner,
    amount,
    ...(priceListHash === null ? {} : { ref: priceListHash }),
    execution_id: itemHash,
    ...(nodeId === null ? {} : { node_id: nodeId }),
    price: priceText(creditAttoPerSecond),
    time: Number(usedBy(used) / creditAttoPerSecond) / 1e6,
  };
  return { amount, count: 1, json };
}

const isUsed = ({ creditAttoPerSecond, micros }: BillableRun): boolean =>
  creditAttoPerSecond > 0n && micros > 0n;

/** Without the zeros at its end. */
const priceText = (atto: bigint): string => formatAtto(atto).replace(/\.?0+$/, "");

const roundMib = (sizeMib: number): number => Math.round(sizeMib * 1e6) / 1e6;
