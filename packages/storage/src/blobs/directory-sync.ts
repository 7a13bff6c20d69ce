import { dirname } from "node:path";
import type { FileSystem } from "./file-system.ts";

interface PendingSync {
  readonly done: Promise<void>;
  start(): void;
}

/**
 * Syncs folders, sharing the work: everyone who asks while a sync of the same folder runs is served by one
 * further sync. A sync that has begun does not serve later comers: it may have missed their rename.
 */
export class DirectorySync {
  readonly #fileSystem: FileSystem;
  readonly #running = new Set<string>();
  readonly #waiting = new Map<string, PendingSync>();

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  /** Resolves once every name that stood in the folder at the call is durable. */
  sync(path: string): Promise<void> {
    const waiting = this.#waiting.get(path);
    if (waiting !== undefined) return waiting.done;
    const pending = this.#prepare(path);
    this.#waiting.set(path, pending);
    // The microtask lets renames that finish together share the very first sync as well.
    if (!this.#running.has(path)) queueMicrotask(pending.start);
    return pending.done;
  }

  #prepare(path: string): PendingSync {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const start = (): void => {
      this.#waiting.delete(path);
      this.#running.add(path);
      this.#fileSystem
        .syncDirectory(path)
        .then(resolve, reject)
        .finally(() => {
          this.#running.delete(path);
          this.#waiting.get(path)?.start();
        });
    };
    return { done: promise, start };
  }
}

/**
 * Creates a folder, and those above it that are missing, so that all their names outlive a loss of power. The
 * name of the folder itself is synced even if it stood there: an earlier process may have died before doing so.
 */
export async function makeDurableDirectory(fileSystem: FileSystem, path: string): Promise<void> {
  const firstNew = await fileSystem.makeDirectory(path);
  let folder = path;
  await fileSystem.syncDirectory(dirname(folder));
  while (firstNew !== undefined && folder !== firstNew) {
    folder = dirname(folder);
    await fileSystem.syncDirectory(dirname(folder));
  }
}
