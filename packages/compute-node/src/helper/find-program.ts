import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

const PLACES = "/usr/local/bin:/usr/bin:/bin";

/** Where a program is that machines need; null: it is not installed. */
export function findProgram(program: string): string | null {
  const paths = isAbsolute(program) ? [program] : PLACES.split(delimiter).map((dir) => join(dir, program));
  return paths.find((path) => existsSync(path)) ?? null;
}
