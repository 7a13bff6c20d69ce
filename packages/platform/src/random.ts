/** Where chance comes from. Injected: tests and the simulator bring a seeded one. */
export interface Random {
  /** `length` random bytes. */
  randomBytes(length: number): Uint8Array;
  /** A whole number, evenly spread over 0 <= n < max. `max` is a positive safe integer (else RangeError). */
  uniform(max: number): number;
}

/** Fails early on a bound that cannot be drawn from. */
export function assertDrawable(max: number): void {
  if (!Number.isSafeInteger(max) || max <= 0) {
    throw new RangeError(`uniform needs a positive safe integer as bound, got ${max}`);
  }
}

/** A copy of the items in random order (Fisher-Yates). */
export function shuffled<T>(random: Random, items: Iterable<T>): T[] {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = random.uniform(index + 1);
    const kept = result[index] as T;
    result[index] = result[other] as T;
    result[other] = kept;
  }
  return result;
}

/** One of the items, or undefined when there is none. */
export function pick<T>(random: Random, items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : items[random.uniform(items.length)];
}
