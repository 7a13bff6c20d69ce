import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/** Makes the names in a folder outlive a loss of power. */
export function syncFolder(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Creates a folder, and those above it that are missing; the names of all of them are durable. */
export function makeDurableFolder(path: string, mode?: number): void {
  const firstNew = mkdirSync(path, mode === undefined ? { recursive: true } : { recursive: true, mode });
  if (firstNew === undefined) {
    syncStanding(dirname(path));
    return;
  }
  for (let folder = path; ; folder = dirname(folder)) {
    syncFolder(dirname(folder));
    if (folder === firstNew || folder === dirname(folder)) return;
  }
}

/** An earlier process may have died before its sync. A folder that we may not read is none that it made a name in. */
function syncStanding(path: string): void {
  try {
    syncFolder(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EACCES")) throw error;
  }
}
