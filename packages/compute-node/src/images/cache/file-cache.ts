import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, raceAbort, type Timers } from "@twentysix/platform";
import { itemTypeOfHash } from "@twentysix/protocol";
import type { DiskRoom } from "../../executions/admission/disk-claims.ts";
import { ImageError } from "../errors.ts";
import type { CachedFile, FileCache } from "../images.ts";
import { download } from "./download.ts";
import type { FileSource } from "./file-source.ts";
import { Shelf, type ShelvedFile } from "./shelf.ts";

export interface FileCacheOptions {
  /** Is made where it is missing. */
  readonly folder: string;
  /** Asked in this order. */
  readonly sources: readonly FileSource[];
  readonly quotaBytes: number;
  /** On the disk of `folder`. */
  readonly room: DiskRoom;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** What the cache holds, and how often it had what was asked for since the start. */
export interface CacheUsage {
  readonly files: number;
  readonly usedBytes: number;
  readonly quotaBytes: number;
  readonly hits: number;
  readonly misses: number;
}

/** A file cache that says what it holds. */
export interface OpenFileCache extends FileCache {
  usage(): CacheUsage;
}

/** The download cache of a compute node: one process uses a folder. */
export async function openFileCache(options: FileCacheOptions): Promise<OpenFileCache> {
  const { folder, quotaBytes, room, clock } = options;
  await mkdir(join(folder, NAMES_FOLDER), { recursive: true });
  const nowMs = (): number => Number(clock.nowMicros() / 1_000n);
  return new DownloadCache(options, await Shelf.open({ folder, quotaBytes, room, nowMs }));
}

/** Which file a STORE message names: that never changes. */
const NAMES_FOLDER = "names";

interface Flight {
  readonly done: Promise<void>;
  readonly controller: AbortController;
  readonly maxBytes: number;
  waiting: number;
}

class DownloadCache implements OpenFileCache {
  readonly #options: FileCacheOptions;
  readonly #shelf: Shelf;
  readonly #flights = new Map<string, Flight>();
  #hits = 0;
  #misses = 0;

  constructor(options: FileCacheOptions, shelf: Shelf) {
    this.#options = options;
    this.#shelf = shelf;
  }

  usage(): CacheUsage {
    const { usedBytes, files } = this.#shelf;
    const { quotaBytes } = this.#options;
    return { files, usedBytes, quotaBytes, hits: this.#hits, misses: this.#misses };
  }

  async acquire(
    storeHash: string,
    { maxBytes }: { readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<CachedFile> {
    const fileHash = await this.#nameOf(storeHash, signal);
    for (let isFirst = true; ; isFirst = false) {
      const file = await this.#shelf.hold(fileHash);
      if (isFirst && file !== null) this.#hits += 1;
      if (isFirst && file === null) this.#misses += 1;
      if (file !== null) return this.#handOut(file, maxBytes);
      await this.#join(fileHash, maxBytes, signal);
    }
  }

  #handOut({ fileHash, sha256, sizeBytes }: ShelvedFile, maxBytes: number): CachedFile {
    let isHeld = true;
    const release = (): void => {
      if (isHeld) this.#shelf.release(fileHash);
      isHeld = false;
    };
    if (sizeBytes > maxBytes) {
      release();
      const message = `the file ${fileHash} has ${sizeBytes} bytes, and ${maxBytes} are allowed here`;
      throw new ImageError("FILE_TOO_LARGE", message);
    }
    return { path: this.#shelf.path(fileHash), sizeBytes, sha256, release };
  }

  /** Waits for the one download of a file. It ends early only when nobody waits for it any more. */
  async #join(fileHash: string, maxBytes: number, signal: AbortSignal): Promise<void> {
    const running = this.#flights.get(fileHash);
    // One that was given up, or allows less, may refuse what is allowed here: its end counts, not its outcome.
    if (running !== undefined && (running.maxBytes < maxBytes || running.controller.signal.aborted)) {
      const end = running.done.catch(() => undefined);
      await raceAbort(end, signal);
      return;
    }
    const flight = running ?? this.#start(fileHash, maxBytes);
    flight.waiting += 1;
    try {
      await raceAbort(flight.done, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) flight.controller.abort(signal.reason);
    }
  }

  #start(fileHash: string, maxBytes: number): Flight {
    const controller = new AbortController();
    const done = this.#fetch(fileHash, maxBytes, controller.signal).finally(() => {
      this.#flights.delete(fileHash);
    });
    // Whoever waits is told; when everybody has left, its end is nobody's any more.
    done.catch(() => undefined);
    const flight: Flight = { done, controller, maxBytes, waiting: 0 };
    this.#flights.set(fileHash, flight);
    return flight;
  }

  async #fetch(fileHash: string, maxBytes: number, signal: AbortSignal): Promise<void> {
    const { sources, timers } = this.#options;
    const partPath = this.#shelf.partPath(fileHash);
    const reserve = (sizeBytes: number): Promise<void> => this.#shelf.reserve(fileHash, sizeBytes);
    try {
      const file = await download(fileHash, partPath, { sources, timers, maxBytes, reserve }, signal);
      await this.#shelf.put({ fileHash, ...file });
    } catch (error) {
      this.#shelf.cancel(fileHash);
      // What came of it serves the next try, unless it can never become the file.
      if (error instanceof ImageError && error.code !== "FILES_UNREACHABLE") {
        await rm(partPath, { force: true });
      }
      throw error;
    }
  }

  async #nameOf(storeHash: string, signal: AbortSignal): Promise<string> {
    checkName(storeHash, "the hash of a STORE message");
    const noteFile = join(this.#options.folder, NAMES_FOLDER, storeHash);
    const noted = await readFile(noteFile, "utf8").catch(() => "");
    if (itemTypeOfHash(noted) !== null) return noted;
    const fileHash = checkName(await this.#askName(storeHash, signal), "the name of a file");
    await writeFile(noteFile, fileHash);
    return fileHash;
  }

  async #askName(storeHash: string, signal: AbortSignal): Promise<string> {
    const { sources } = this.#options;
    let failure: unknown;
    for (const source of sources) {
      try {
        const found = await source.storedFile(storeHash, signal);
        if (found !== null) return found.fileHash;
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
      }
    }
    if (failure instanceof ImageError) throw failure;
    const names = sources.map(({ name }) => name).join(", ");
    if (failure === undefined && sources.length > 0) {
      throw new ImageError("FILE_NOT_FOUND", `none of ${names} knows the STORE message ${storeHash}`);
    }
    const message = `the STORE message ${storeHash} cannot be had: ${names || "no core node is known"}`;
    throw new ImageError("FILES_UNREACHABLE", message, { cause: failure });
  }
}

/** Names become paths: nothing but the shapes of hashes gets that far. */
function checkName(hash: string, what: string): string {
  if (itemTypeOfHash(hash) !== null) return hash;
  const shown = JSON.stringify(hash.slice(0, 100));
  throw new ImageError("FILE_NOT_FOUND", `${what} is a SHA-256 or a CID, not ${shown}`);
}
