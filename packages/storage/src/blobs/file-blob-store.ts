import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { assertBlobName, BlobPaths, isBlobName, SHARDS } from "./blob-paths.ts";
import type {
  BlobReader,
  BlobStat,
  BlobStore,
  DeleteOptions,
  GetOptions,
  ListOptions,
  PutOptions,
  PutResult,
} from "./blob-store.ts";
import { abortable, type ByteSource } from "./byte-source.ts";
import { DirectorySync, makeDurableDirectory } from "./directory-sync.ts";
import { DiskBudget, type DiskUsage, type Reservation } from "./disk-budget.ts";
import { BlobError } from "./errors.ts";
import { FileBlobReader } from "./file-blob-reader.ts";
import type { FileSystem, WritableFile } from "./file-system.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { assertExpected, assertMaxSize, diskFullError } from "./put-checks.ts";

export interface FileBlobStoreOptions {
  /** Absolute path; created when missing. One process at a time may have it open. */
  readonly folder: string;
  readonly fileSystem?: FileSystem;
  /** A budget shared with other stores; it then brings the limits, and the two below are not looked at. */
  readonly budget?: DiskBudget;
  /** Most bytes of content; more is refused with BLOB_DISK_BUDGET_EXCEEDED. */
  readonly maxBytes?: number;
  /** Bytes that must stay free on the disk; below that, puts are refused with BLOB_FREE_SPACE_LOW. */
  readonly minFreeBytes?: number;
  /** Another process may have it open: nothing is changed or counted at the start, and nothing may be put. */
  readonly readOnly?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Blobs as plain files in 256 folders by the first two digits of their name.
 *
 * A put writes a temporary file, syncs it, renames it and syncs the folder; puts that end together share that
 * last sync. So a blob that can be seen is whole, and one that was acknowledged outlives a loss of power.
 */
export class FileBlobStore implements BlobStore {
  readonly #paths: BlobPaths;
  readonly #fileSystem: FileSystem;
  readonly #budget: DiskBudget;
  readonly #directorySync: DirectorySync;
  readonly #locks = new KeyedLock();
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  private constructor(options: FileBlobStoreOptions) {
    const fileSystem = options.fileSystem ?? nodeFileSystem;
    this.#paths = new BlobPaths(options.folder);
    this.#fileSystem = fileSystem;
    this.#budget =
      options.budget ?? new DiskBudget({ ...options, freeBytes: () => fileSystem.freeBytes(options.folder) });
    this.#directorySync = new DirectorySync(fileSystem);
  }

  /** Creates the folders, removes what a crash left, and counts what is there. */
  static async open(options: FileBlobStoreOptions): Promise<FileBlobStore> {
    const store = new FileBlobStore(options);
    if (options.readOnly === true) return store;
    await store.#prepareFolders();
    await store.sweepTemporary();
    for await (const { sizeBytes } of store.list({ ...options })) store.#budget.adjust(sizeBytes);
    return store;
  }

  get usage(): DiskUsage {
    return this.#budget.usage;
  }

  put(source: ByteSource, options: PutOptions = {}): Promise<PutResult> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason);
    const work = this.#put(source, options);
    this.#running.add(work);
    const forget = (): void => {
      this.#running.delete(work);
    };
    work.then(forget, forget);
    return work;
  }

  async open(sha256: string, signal?: AbortSignal): Promise<BlobReader | undefined> {
    assertBlobName(sha256);
    signal?.throwIfAborted();
    const file = await this.#fileSystem.openRead(this.#paths.blob(sha256));
    return file === undefined ? undefined : new FileBlobReader(sha256, file);
  }

  async *get(sha256: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    await using reader = await this.open(sha256, options.signal);
    if (reader === undefined) {
      throw new BlobError("BLOB_NOT_FOUND", "this store does not hold the blob: fetch it from a peer", {
        sha256,
      });
    }
    yield* reader.read(options);
  }

  async stat(sha256: string, signal?: AbortSignal): Promise<BlobStat | undefined> {
    assertBlobName(sha256);
    signal?.throwIfAborted();
    const found = await this.#fileSystem.stat(this.#paths.blob(sha256));
    return found === undefined ? undefined : { sha256, sizeBytes: found.sizeBytes };
  }

  async has(sha256: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.stat(sha256, signal)) !== undefined;
  }

  async delete(sha256: string, { isClaimed, signal }: DeleteOptions = {}): Promise<boolean> {
    assertBlobName(sha256);
    return await this.#locks.run(sha256, async () => {
      signal?.throwIfAborted();
      if (isClaimed?.(sha256) === true) return false;
      const found = await this.stat(sha256);
      if (found === undefined || !(await this.#fileSystem.unlink(this.#paths.blob(sha256)))) return false;
      this.#budget.adjust(-found.sizeBytes);
      await this.#directorySync.sync(this.#paths.shardOf(sha256));
      return true;
    });
  }

  async *list({ after, signal }: ListOptions = {}): AsyncGenerator<BlobStat, void, undefined> {
    for (const shard of SHARDS) {
      if (after !== undefined && shard < after.slice(0, 2)) continue;
      const names = await this.#fileSystem.readDirectory(this.#paths.shard(shard));
      for (const name of names.filter(isBlobName).sort()) {
        signal?.throwIfAborted();
        if (after !== undefined && name <= after) continue;
        const stat = await this.stat(name);
        if (stat !== undefined) yield stat;
      }
    }
  }

  /** Removes temporary files that nobody writes any more; only for a store that has no put in progress. */
  async sweepTemporary(): Promise<number> {
    const names = await this.#fileSystem.readDirectory(this.#paths.temporary);
    for (const name of names) await this.#fileSystem.unlink(join(this.#paths.temporary, name));
    return names.length;
  }

  /** Refuses new puts, ends those in progress and waits until they have cleaned up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new BlobError("BLOB_STORE_CLOSED", "the blob store is closed"));
    await Promise.allSettled(this.#running);
  }

  async #prepareFolders(): Promise<void> {
    await makeDurableDirectory(this.#fileSystem, this.#paths.root);
    await this.#fileSystem.makeDirectory(this.#paths.temporary);
    const present = new Set(await this.#fileSystem.readDirectory(this.#paths.root));
    for (const shard of SHARDS) {
      if (!present.has(shard)) await this.#fileSystem.makeDirectory(this.#paths.shard(shard));
    }
    await this.#fileSystem.syncDirectory(this.#paths.root);
  }

  async #put(source: ByteSource, options: PutOptions): Promise<PutResult> {
    const { expectedHash, declaredSizeBytes = 0 } = options;
    if (expectedHash !== undefined) assertBlobName(expectedHash);
    assertMaxSize(declaredSizeBytes, options);
    this.#budget.assertFits(declaredSizeBytes);
    using reservation = this.#budget.reserve();
    const path = join(this.#paths.temporary, randomUUID());
    const file = await this.#fileSystem.create(path);
    try {
      const written = await this.#write(file, source, options, reservation);
      await file.sync();
      await file.close();
      return await this.#commit(path, written, options);
    } catch (error) {
      await file.close().catch(() => {}); // it may be closed already, and the first failure says more
      await this.#fileSystem.unlink(path);
      throw diskFullError(error);
    }
  }

  async #write(
    file: WritableFile,
    source: ByteSource,
    options: PutOptions,
    reservation: Reservation,
  ): Promise<BlobStat> {
    const hash = createHash("sha256");
    let sizeBytes = 0;
    await reservation.grow(0);
    for await (const piece of abortable(source, this.#signalFor(options))) {
      sizeBytes += piece.byteLength;
      assertMaxSize(sizeBytes, options);
      await reservation.grow(piece.byteLength);
      hash.update(piece);
      await file.write(piece);
    }
    const written = { sha256: hash.digest("hex"), sizeBytes };
    assertExpected(written, options);
    return written;
  }

  #signalFor({ signal }: PutOptions): AbortSignal {
    return signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
  }

  /** From here on the bytes are on the disk: what is left is to give them their name, durably. */
  async #commit(path: string, written: BlobStat, { claim }: PutOptions): Promise<PutResult> {
    const { sha256, sizeBytes } = written;
    const before = await this.#locks.run(sha256, async () => {
      const replaced = await this.stat(sha256);
      claim?.(sha256);
      await this.#fileSystem.rename(path, this.#paths.blob(sha256));
      this.#budget.adjust(sizeBytes - (replaced?.sizeBytes ?? 0));
      return replaced;
    });
    await this.#directorySync.sync(this.#paths.shardOf(sha256));
    return { sha256, sizeBytes, isNew: before === undefined };
  }
}
