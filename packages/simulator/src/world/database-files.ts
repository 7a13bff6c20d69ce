import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { MessageStore } from "@twentysix/storage/writer";

const MESSAGES = "core/messages.sqlite";
/** Databases of a node, in its folder. */
const DATABASES = [MESSAGES, "contents/index.sqlite"];
/** That it lacks much: written beside its database, and read at the start. */
const CATCH_UP_MARK = "core/catching-up";
/** Where memory is a file system; elsewhere the usual place of temporary files serves. */
const MEMORY_FOLDER = "/dev/shm";

/** A folder in memory for the databases of one simulation. */
export function temporaryFolder(): string {
  return mkdtempSync(join(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), "twentysix-simulation-"));
}

export function makeDatabaseFolders(folder: string): void {
  for (const database of DATABASES) mkdirSync(dirname(join(folder, database)), { recursive: true });
}

let emptyDatabase: Uint8Array | null = null;

/**
 * A database of messages without any, as a node finds it at its second start. To make its tables one migration after the
 * other takes a fifth of a short simulation, and nothing of it depends on the seed.
 */
export function makeEmptyDatabase(folder: string): void {
  const path = join(folder, MESSAGES);
  if (emptyDatabase !== null) {
    writeFileSync(path, emptyDatabase);
    return;
  }
  const store = new MessageStore({ path, readElementFields: () => [] });
  store.checkpoint("truncate");
  store.close();
  emptyDatabase = readFileSync(path);
}

/**
 * What a crash leaves of the databases: their files as they stand at this moment. Every commit is synced, so a loss of
 * power leaves no less; what a transaction has not committed is in the log and is not heeded.
 */
export function copyDatabases(from: string, to: string): void {
  makeDatabaseFolders(to);
  const files = DATABASES.flatMap((database) => [database, `${database}-wal`]);
  for (const file of [...files, CATCH_UP_MARK])
    if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
