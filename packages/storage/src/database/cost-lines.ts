import { type CostLine, type CostType, PriceDecimal } from "@twentysix/protocol";

type StoredLine = readonly [
  type: CostType,
  name: string,
  ref: string | null,
  sizeMib: string | null,
  hold: string,
  stream: string,
  credit: string,
];

/** The lines of a bill as the database keeps them: amounts as decimal integers of 10^-18. */
export function encodeCostLines(lines: readonly CostLine[]): string {
  const stored: StoredLine[] = lines.map((line) => [
    line.type,
    line.name,
    line.ref,
    line.sizeMib === null ? null : line.sizeMib.toFixed(),
    line.holdAtto.toString(),
    line.streamAttoPerSecond.toString(),
    line.creditAttoPerSecond.toString(),
  ]);
  return JSON.stringify(stored);
}

/** The inverse of `encodeCostLines`. */
export function decodeCostLines(text: string): CostLine[] {
  return (JSON.parse(text) as StoredLine[]).map(([type, name, ref, sizeMib, hold, stream, credit]) => ({
    type,
    name,
    ref,
    sizeMib: sizeMib === null ? null : new PriceDecimal(sizeMib),
    holdAtto: BigInt(hold),
    streamAttoPerSecond: BigInt(stream),
    creditAttoPerSecond: BigInt(credit),
  }));
}
