/** Reads members of JSON that strangers wrote: what has another type than expected is not there. */
export type Loose = Readonly<Record<string, unknown>>;

export const isLoose = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A member that may be missing anywhere on its path. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    if (!isLoose(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return current;
}

const MAX_TEXT = 4_096;

/** Text that is neither empty nor endless; null otherwise. */
export const textOf = (value: unknown): string | null =>
  typeof value === "string" && value !== "" && value.length <= MAX_TEXT ? value : null;

export const numberOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;

export const textsOf = (value: unknown, max = 256): readonly string[] =>
  Array.isArray(value) ? value.slice(0, max).flatMap((one) => textOf(one) ?? []) : [];
