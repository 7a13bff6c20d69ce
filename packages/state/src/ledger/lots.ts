import { type CreditEntry, type CreditLot, compareEntries, type EntryPoint } from "./ledger-facts.ts";

/*
 * Credits are spent lot by lot, in the order in which they were granted; what has expired, or was granted later
 * than the expense is dated, cannot be spent. Source: pyaleph `src/aleph/db/accessors/balances.py`.
 */

/** A part of a lot that was taken, with the expiry that it had. */
export interface TakenCredits {
  readonly amount: bigint;
  readonly expirationMicros: bigint | null;
}

/** Takes up to `amount` at a time; what the lots do not hold is not taken. `lots` must be in order. */
export function consumeLots(
  lots: readonly CreditLot[],
  amount: bigint,
  atMicros: bigint,
): { readonly lots: readonly CreditLot[]; readonly taken: readonly TakenCredits[] } {
  let open = amount;
  const taken: TakenCredits[] = [];
  const left: CreditLot[] = [];
  for (const lot of lots) {
    const isUsable = lot.timeMicros <= atMicros && isUnexpired(lot, atMicros);
    const part = open === 0n || !isUsable ? 0n : smaller(open, lot.remaining);
    if (part === 0n) {
      left.push(lot);
      continue;
    }
    open -= part;
    taken.push({ amount: part, expirationMicros: lot.expirationMicros });
    if (part < lot.remaining) left.push({ ...lot, remaining: lot.remaining - part });
  }
  return { lots: left, taken };
}

/** Adds the lot that an entry brings, in its place. */
export function addLot(lots: readonly CreditLot[], entry: CreditEntry): readonly CreditLot[] {
  const { timeMicros, hash, index, amount, expirationMicros } = entry;
  const lot: CreditLot = { timeMicros, hash, index, remaining: amount, expirationMicros };
  const at = lots.findIndex((other) => compareEntries(lot, other) < 0);
  return at < 0 ? [...lots, lot] : [...lots.slice(0, at), lot, ...lots.slice(at)];
}

/** The lots that a whole history leaves, whatever the order in which it became known. */
export function replayLots(history: readonly CreditEntry[]): readonly CreditLot[] {
  let lots: readonly CreditLot[] = [];
  for (const entry of [...history].sort(compareEntries)) {
    lots = entry.amount > 0n ? addLot(lots, entry) : consumeLots(lots, -entry.amount, entry.timeMicros).lots;
  }
  return lots;
}

/** Credits that can be spent at a moment. */
export function creditsAt(lots: readonly CreditLot[], atMicros: bigint): bigint {
  let credits = 0n;
  for (const lot of lots) if (isUnexpired(lot, atMicros)) credits += lot.remaining;
  return credits;
}

/** The next moment at which credits expire; null: never. */
export function nextExpiryMicros(lots: readonly CreditLot[], afterMicros: bigint): bigint | null {
  let next: bigint | null = null;
  for (const { expirationMicros } of lots) {
    if (expirationMicros === null || expirationMicros <= afterMicros) continue;
    if (next === null || expirationMicros < next) next = expirationMicros;
  }
  return next;
}

/**
 * What a recipient gets of the credits that were taken: never longer than they lasted, nor than the sender says.
 * Neighbours with one expiry become one.
 */
export function transferPortions(
  taken: readonly TakenCredits[],
  requestedMicros: bigint | null,
): readonly TakenCredits[] {
  const portions: TakenCredits[] = [];
  for (const { amount, expirationMicros } of taken) {
    const expiry = earlier(expirationMicros, requestedMicros);
    const last = portions.at(-1);
    if (last !== undefined && last.expirationMicros === expiry) {
      portions[portions.length - 1] = { amount: last.amount + amount, expirationMicros: expiry };
    } else {
      portions.push({ amount, expirationMicros: expiry });
    }
  }
  return portions;
}

/** Does an entry come after all that the ledger of its account holds? Then nothing has to be counted again. */
export function isInOrder(entry: EntryPoint, last: EntryPoint | null): boolean {
  return last === null || compareEntries(last, entry) < 0;
}

const isUnexpired = ({ expirationMicros }: CreditLot, atMicros: bigint): boolean =>
  expirationMicros === null || expirationMicros > atMicros;

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** null stands for never. */
function earlier(a: bigint | null, b: bigint | null): bigint | null {
  if (a === null || b === null) return a ?? b;
  return smaller(a, b);
}
