import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from "node:fs";
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
  const firstNew = makeFolders(path, mode);
  if (firstNew === undefined) {
    syncStanding(dirname(path));
    return;
  }
  for (let folder = path; ; folder = dirname(folder)) {
    syncFolder(dirname(folder));
    if (folder === firstNew || folder === dirname(folder)) return;
  }
}

/**
 * Gives the topmost folder that is new, undefined when none is. Level by level: the runtime's own `recursive` never
 * ends where a parent stands and refuses with ENOENT, as those of /proc do.
 */
function makeFolders(path: string, mode: number | undefined): string | undefined {
  if (isFolder(path)) return undefined;
  const firstNew = dirname(path) === path ? undefined : makeFolders(dirname(path), mode);
  try {
    mkdirSync(path, mode);
  } catch (error) {
    // Another process may have been faster.
    if (!isFolder(path)) throw error;
  }
  return firstNew ?? path;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** An earlier process may have died before its sync. A folder that we may not read is none that it made a name in. */
function syncStanding(path: string): void {
  try {
    syncFolder(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EACCES")) throw error;
  }
}
