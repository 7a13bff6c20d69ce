import type { Promised } from "./types.ts";

/** The methods of an object that can be called as they are. */
type Methods = Readonly<Record<string, (...parameters: never[]) => unknown>>;

/**
 * Reads that are answered at once, in the shape of those that are not: for a database inside of this process, whose
 * answer takes microseconds.
 */
export function promised<Reads extends object>(
  reads: Reads,
  names: readonly (keyof Reads)[],
): Promised<Reads> {
  const methods = reads as unknown as Methods;
  const answers = names.map((name) => {
    const method = methods[String(name)];
    return [name, async (...parameters: never[]) => method?.apply(reads, parameters)];
  });
  return Object.fromEntries(answers) as Promised<Reads>;
}
