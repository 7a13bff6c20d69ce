import type { Promised } from "./types.ts";

/** Answers the read of this name. */
export type ReadByName = (name: string, parameters: readonly unknown[]) => Promise<unknown>;

/** Reads by their names, in the shape of an object with a method for each. */
export function promisedBy<Reads extends object>(
  names: readonly (keyof Reads)[],
  read: ReadByName,
): Promised<Reads> {
  const answers = names.map((name) => [
    name,
    (...parameters: readonly unknown[]) => read(String(name), parameters),
  ]);
  return Object.fromEntries(answers) as Promised<Reads>;
}

/** Reads that are answered at once: of a database inside of this process, whose answer takes microseconds. */
export function atOnce(reads: object): ReadByName {
  const methods = reads as Readonly<Record<string, (...parameters: readonly unknown[]) => unknown>>;
  return async (name, parameters) => methods[name]?.apply(reads, [...parameters]);
}
