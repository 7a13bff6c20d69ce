import { existsSync, rmSync, writeFileSync } from "node:fs";
import type { CatchUpMark } from "./sync-progress.ts";

/** A file that is there from the beginning of a catch-up to its end. */
export function catchUpMark(path: string): CatchUpMark {
  return {
    isSet: () => existsSync(path),
    set: () => writeFileSync(path, "This node lacks much of what its peers have.\n"),
    clear: () => rmSync(path, { force: true }),
  };
}
