import { readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DiskClaim, DiskRoom } from "../../executions/admission/disk-claims.ts";
import { ImageError } from "../errors.ts";

/** A file that is here, verified. */
export interface ShelvedFile {
  readonly fileHash: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

interface Entry extends ShelvedFile {
  holders: number;
  lastUseMs: number;
}

/** A file on its way. */
interface Reservation {
  readonly sizeBytes: number;
  /** On the disk; null until it is granted. */
  readonly claim: DiskClaim | null;
  readonly claimedBytes: number;
}

export interface ShelfOptions {
  readonly folder: string;
  /** Of all files together, those on their way included. */
  readonly quotaBytes: number;
  readonly room: DiskRoom;
  readonly nowMs: () => number;
}

/** What comes without a size claims its room in steps: each looks at the whole disk. */
const CLAIM_STEP_BYTES = 4 * 1_048_576;
const FACTS_SUFFIX = ".json";
const PART_SUFFIX = ".part";
const FILE_NAME = /^[A-Za-z0-9]{44,128}$/;

/**
 * The files of the cache on its disk. Those that nobody holds go when others need the room, the one first that was not
 * used for longest. Names are checked before they come here.
 */
export class Shelf {
  readonly #options: ShelfOptions;
  readonly #entries = new Map<string, Entry>();
  /** By the name of the file. */
  readonly #reserved = new Map<string, Reservation>();

  private constructor(options: ShelfOptions) {
    this.#options = options;
  }

  /** With what earlier runs left. */
  static async open(options: ShelfOptions): Promise<Shelf> {
    const shelf = new Shelf(options);
    for (const name of await readdir(options.folder)) {
      if (FILE_NAME.test(name)) await shelf.#readEntry(name);
    }
    return shelf;
  }

  get files(): number {
    return this.#entries.size;
  }

  get usedBytes(): number {
    const files = [...this.#entries.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return files + [...this.#reserved.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  path(fileHash: string): string {
    return join(this.#options.folder, fileHash);
  }

  partPath(fileHash: string): string {
    return `${this.path(fileHash)}${PART_SUFFIX}`;
  }

  /** The file is not evicted before as many `release` as `hold`. null: it is not here. */
  async hold(fileHash: string): Promise<ShelvedFile | null> {
    const entry = this.#entries.get(fileHash);
    if (entry === undefined) return null;
    entry.holders += 1;
    entry.lastUseMs = this.#options.nowMs();
    // The order of use outlives this process.
    await utimes(this.path(fileHash), entry.lastUseMs / 1_000, entry.lastUseMs / 1_000);
    return entry;
  }

  release(fileHash: string): void {
    const entry = this.#entries.get(fileHash);
    if (entry !== undefined) entry.holders -= 1;
  }

  /** Room for a file on its way. @throws ImageError CACHE_FULL */
  async reserve(fileHash: string, sizeBytes: number): Promise<void> {
    const earlier = this.#reserved.get(fileHash) ?? { sizeBytes: 0, claim: null, claimedBytes: 0 };
    const reservation = { ...earlier, sizeBytes: Math.max(sizeBytes, earlier.sizeBytes) };
    this.#reserved.set(fileHash, reservation);
    const { quotaBytes } = this.#options;
    while (this.usedBytes > quotaBytes) {
      const inUse = `with them ${this.usedBytes} of ${quotaBytes} would be in use; raise the quota of the cache`;
      await this.#makeRoom(fileHash, `there is no room for ${sizeBytes} bytes: ${inUse}`);
    }
    while (!(await this.#claim(fileHash, reservation))) {
      const reason = "the disk has no more that no machine was promised";
      await this.#makeRoom(fileHash, `there is no room for ${sizeBytes} bytes: ${reason}`);
    }
  }

  /** The download has ended: without a file, or with one that takes its place. */
  cancel(fileHash: string): void {
    this.#reserved.get(fileHash)?.claim?.[Symbol.dispose]();
    this.#reserved.delete(fileHash);
  }

  async #claim(fileHash: string, reservation: Reservation): Promise<boolean> {
    const { sizeBytes, claim: earlier, claimedBytes } = reservation;
    if (earlier === null) {
      const claim = await this.#options.room.claim(this.partPath(fileHash), sizeBytes);
      if (claim === null) return false;
      this.#reserved.set(fileHash, { sizeBytes, claim, claimedBytes: sizeBytes });
      return true;
    }
    if (sizeBytes <= claimedBytes) return true;
    const nextBytes = Math.max(sizeBytes, claimedBytes + CLAIM_STEP_BYTES);
    if (!(await earlier.growTo(nextBytes))) return false;
    this.#reserved.set(fileHash, { sizeBytes, claim: earlier, claimedBytes: nextBytes });
    return true;
  }

  async #makeRoom(fileHash: string, otherwise: string): Promise<void> {
    const oldest = this.#oldestFree();
    if (oldest === undefined) {
      this.cancel(fileHash);
      throw new ImageError("CACHE_FULL", otherwise);
    }
    await this.#evict(oldest);
  }

  /** Takes the verified part file as the file. */
  async put(file: ShelvedFile): Promise<void> {
    const { fileHash, sha256, sizeBytes } = file;
    await writeFile(`${this.path(fileHash)}${FACTS_SUFFIX}`, JSON.stringify({ sha256, sizeBytes }));
    await rename(this.partPath(fileHash), this.path(fileHash));
    this.cancel(fileHash);
    this.#entries.set(fileHash, { ...file, holders: 0, lastUseMs: this.#options.nowMs() });
  }

  /** A file without facts was cut off between the two, and is downloaded again. */
  async #readEntry(fileHash: string): Promise<void> {
    const path = this.path(fileHash);
    const { sha256, sizeBytes } = await readFacts(`${path}${FACTS_SUFFIX}`);
    const found = await stat(path);
    if (sha256 === undefined || found.size !== sizeBytes) {
      await rm(path, { force: true });
      return;
    }
    this.#entries.set(fileHash, { fileHash, sha256, sizeBytes, holders: 0, lastUseMs: found.mtimeMs });
  }

  #oldestFree(): Entry | undefined {
    const free = [...this.#entries.values()].filter(({ holders }) => holders === 0);
    return free.sort((left, right) => left.lastUseMs - right.lastUseMs)[0];
  }

  async #evict({ fileHash }: Entry): Promise<void> {
    this.#entries.delete(fileHash);
    await rm(this.path(fileHash), { force: true });
    await rm(`${this.path(fileHash)}${FACTS_SUFFIX}`, { force: true });
  }
}

/** Nothing where the file is missing or cut off: both mean that the facts are not known. */
async function readFacts(path: string): Promise<Partial<ShelvedFile>> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return {};
  }
}
