import type { Shortfall } from "@twentysix/state";

type Stored = readonly [at: string, available: string, before: number, taken: string, needed: string];

/** What was found for a message when a decision was made, as the database keeps it: JSON of decimal integers. */
export function encodeShortfall(found: Shortfall): string {
  const { atMicros, availableAtto, messagesBefore, takenAtto, neededAtto } = found;
  const stored: Stored = [
    atMicros.toString(),
    availableAtto.toString(),
    messagesBefore,
    takenAtto.toString(),
    neededAtto.toString(),
  ];
  return JSON.stringify(stored);
}

/** The inverse of `encodeShortfall`. */
export function decodeShortfall(text: string): Shortfall {
  const [at, available, messagesBefore, taken, needed] = JSON.parse(text) as Stored;
  return {
    atMicros: BigInt(at),
    availableAtto: BigInt(available),
    messagesBefore,
    takenAtto: BigInt(taken),
    neededAtto: BigInt(needed),
  };
}
