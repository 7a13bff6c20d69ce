import { readFileSync } from "node:fs";

/**
 * What the helper kept in a file of its own. null: it kept nothing, or a host that lost its power has kept a piece of it,
 * which stands for nothing: what it was about has ended with the host.
 */
export function readKept<Kept>(file: string): Kept | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Kept;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
