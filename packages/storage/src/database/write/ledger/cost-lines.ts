import { type CostLine, type CostType, PriceDecimal } from "@twentysix/protocol";

/** Stands for a name that is the type, and for a reference to the message itself. */
const SAME = 0;

type StoredLine = readonly [
  type: CostType,
  name: string | typeof SAME,
  ref: string | null | typeof SAME,
  sizeMib: string | null,
  hold: string,
  stream: string,
  credit: string,
  quantity: string,
];

/** The lines of the bill of a message as the database keeps them: amounts as decimal integers of 10^-18. */
export function encodeCostLines(itemHash: string, lines: readonly CostLine[]): string {
  const stored: StoredLine[] = lines.map((line) => [
    line.type,
    line.name === line.type ? SAME : line.name,
    line.ref === itemHash ? SAME : line.ref,
    line.sizeMib === null ? null : line.sizeMib.toFixed(),
    line.holdAtto.toString(),
    line.streamAttoPerSecond.toString(),
    line.creditAttoPerSecond.toString(),
    line.quantity.toFixed(),
  ]);
  return JSON.stringify(stored);
}

/** The inverse of `encodeCostLines`. */
export function decodeCostLines(itemHash: string, text: string): CostLine[] {
  return (JSON.parse(text) as StoredLine[]).map(
    ([type, name, ref, sizeMib, hold, stream, credit, quantity]) => ({
      type,
      name: name === SAME ? type : name,
      ref: ref === SAME ? itemHash : ref,
      sizeMib: sizeMib === null ? null : new PriceDecimal(sizeMib),
      holdAtto: BigInt(hold),
      streamAttoPerSecond: BigInt(stream),
      creditAttoPerSecond: BigInt(credit),
      quantity: new PriceDecimal(quantity),
    }),
  );
}
