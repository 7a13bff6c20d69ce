import { SettingError } from "./setting-error.ts";

/** Answers of the system that say that a path is none for a data folder, whatever the disk has room for. */
const NO_PLACE: ReadonlySet<unknown> = new Set([
  "EACCES",
  "EEXIST",
  "ELOOP",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOTDIR",
  "EPERM",
  "EROFS",
]);
/** SQLITE_READONLY and SQLITE_CANTOPEN. */
const NO_DATABASE: ReadonlySet<unknown> = new Set([8, 14]);

/**
 * Does the first work in a data folder.
 *
 * @throws SettingError DATA_DIR_UNUSABLE when the folder cannot be made or written to
 */
export function inUsableDataDir<T>(dataDir: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || !saysNoPlace(error)) throw error;
    throw new SettingError(
      "DATA_DIR_UNUSABLE",
      "dataDir",
      `${dataDir} cannot be a data folder: ${error.message}`,
    );
  }
}

function saysNoPlace(error: Error): boolean {
  if ("errcode" in error) return NO_DATABASE.has(error.errcode);
  return "code" in error && NO_PLACE.has(error.code);
}
