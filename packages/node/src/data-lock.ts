import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeDurableFolder } from "./durable-folder.ts";
import { inUsableDataDir } from "./usable-data-dir.ts";

/** Another process works in the data folder. */
export class DataDirInUseError extends Error {
  readonly code = "DATA_DIR_IN_USE";

  constructor(dataDir: string) {
    super(`${dataDir} is in use by another process: stop it first, or choose another --data-dir`);
  }
}

/**
 * Takes the data folder for this process, making it when it is missing. The lock is one of the operating system,
 * held through an open transaction, so that it ends with the process however that ends.
 *
 * @throws DataDirInUseError, SettingError DATA_DIR_UNUSABLE
 */
export function lockDataDir(dataDir: string): { release(): void } {
  const database = inUsableDataDir(dataDir, () => {
    makeDurableFolder(dataDir);
    return new DatabaseSync(join(dataDir, "lock.sqlite"), { timeout: 0 });
  });
  try {
    inUsableDataDir(dataDir, () => database.exec("BEGIN EXCLUSIVE"));
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) throw new DataDirInUseError(dataDir);
    throw error;
  }
  return { release: () => database.close() };
}
