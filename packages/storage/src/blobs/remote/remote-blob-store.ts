import { assertBlobName } from "../blob-paths.ts";
import type { ResolvedRange } from "../blob-range.ts";
import type {
  BlobReader,
  BlobStat,
  BlobStore,
  DeleteOptions,
  GetOptions,
  ListOptions,
  PutOptions,
  PutResult,
} from "../blob-store.ts";
import { abortable, type ByteSource } from "../byte-source.ts";
import type { DiskUsage, Reservation } from "../disk-budget.ts";
import { BlobError, isServerFailure } from "../errors.ts";
import { KeyedLock } from "../keyed-lock.ts";
import { assertExpected, assertMaxSize, diskFullError } from "../put-checks.ts";
import { adopt } from "./adopt.ts";
import { ChunkCache } from "./chunk-cache.ts";
import type { ObjectRecord } from "./remote-catalog.ts";
import { RemoteReader } from "./remote-reader.ts";
import type { RemoteStoreParts } from "./remote-store-parts.ts";
import { type SpooledBytes, spool } from "./spool.ts";
import { StallGuard } from "./stall-guard.ts";
import { readVerified } from "./verified-read.ts";

const CACHE_BYTES = 16 * 1024 * 1024;

/**
 * Blobs on a server. What is put is received and hashed on the disk of this machine first, then sent under the name
 * that it proved, as often as it takes. A record on this machine has the digests with which every byte that the
 * server gives back is verified.
 *
 * A blob that is deleted while it is read breaks off the reading, unless the server still gives its bytes.
 */
export class RemoteBlobStore implements BlobStore {
  readonly #parts: RemoteStoreParts;
  readonly #locks = new KeyedLock();
  readonly #cache = new ChunkCache(CACHE_BYTES);
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(parts: RemoteStoreParts) {
    this.#parts = parts;
  }

  /** What is on the disk of this machine: only what is on its way. */
  get usage(): DiskUsage {
    return this.#parts.budget.usage;
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
    const { catalog, name } = this.#parts;
    const record = catalog.find(name, sha256) ?? (await this.#adopt(sha256, this.#signalFor(signal)));
    if (record === undefined) return undefined;
    const parts = { ...this.#parts, cache: this.#cache, closing: this.#closing.signal };
    return new RemoteReader(record, parts, signal);
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

  /** Asks the server: what it has lost is not here any more. */
  async stat(sha256: string, signal?: AbortSignal): Promise<BlobStat | undefined> {
    assertBlobName(sha256);
    const stop = this.#signalFor(signal);
    const { catalog, name, objects } = this.#parts;
    const records = catalog.all(name, sha256, true);
    for (const record of records) {
      const sizeBytes = await this.#sizeOf(record.address, record, stop);
      if (sizeBytes !== undefined) return { sha256, sizeBytes };
    }
    const address = objects.addressOf(sha256);
    if (address === undefined || records.length > 0) return undefined;
    const sizeBytes = await this.#sizeOf(address, undefined, stop);
    return sizeBytes === undefined ? undefined : { sha256, sizeBytes };
  }

  async has(sha256: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.stat(sha256, signal)) !== undefined;
  }

  async delete(sha256: string, { isClaimed, signal }: DeleteOptions = {}): Promise<boolean> {
    assertBlobName(sha256);
    return await this.#locks.run(sha256, async () => {
      signal?.throwIfAborted();
      if (isClaimed?.(sha256) === true) return false;
      return await this.#remove(sha256, this.#signalFor(signal));
    });
  }

  async *list({ after, signal }: ListOptions = {}): AsyncGenerator<BlobStat, void, undefined> {
    const { objects } = this.#parts;
    if (objects.list === undefined) yield* this.#listRecords(after ?? "", signal);
    else yield* abortable(objects.list(after, this.#signalFor(signal)), signal);
  }

  /** Removes what a crash or a failure left on the server. @throws BlobError BLOB_SERVER_… */
  async sweep(): Promise<void> {
    const { catalog, name } = this.#parts;
    for (const record of catalog.incomplete(name)) {
      await this.#locks.run(record.sha256, async () => {
        const isLeft = catalog.incomplete(name).some(({ address }) => address === record.address);
        if (isLeft) await this.#abandon(record);
      });
    }
  }

  /** Refuses new puts, ends those in progress and waits until they have cleaned up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new BlobError("BLOB_STORE_CLOSED", "the blob store is closed"));
    await Promise.allSettled(this.#running);
  }

  async #put(source: ByteSource, options: PutOptions): Promise<PutResult> {
    const { budget, server, fileSystem, spoolFolder, objects } = this.#parts;
    const { expectedHash, declaredSizeBytes = 0 } = options;
    if (expectedHash !== undefined) assertBlobName(expectedHash);
    assertMaxSize(declaredSizeBytes, options);
    budget.assertFits(declaredSizeBytes);
    server.assertUsable();
    const signal = this.#signalFor(options.signal);
    using reservation = budget.reserve();
    const addresser = objects.addresser(options);
    const checked = checkedBytes(abortable(source, signal), reservation, options, (piece) =>
      addresser.update(piece),
    );
    try {
      await using spooled = await spool(fileSystem, spoolFolder, checked);
      assertExpected(spooled, options);
      const address = addresser.finish(spooled.sha256);
      return await this.#locks.run(spooled.sha256, () => this.#store(spooled, address, options, signal));
    } catch (error) {
      throw diskFullError(error);
    }
  }

  async #store(
    spooled: SpooledBytes,
    address: string,
    { claim }: PutOptions,
    signal: AbortSignal,
  ): Promise<PutResult> {
    const { catalog, name } = this.#parts;
    const { sha256, sizeBytes, chunkDigests } = spooled;
    const isNew = !(await this.#isKnown(sha256, signal));
    claim?.(sha256);
    const record = { sha256, sizeBytes, chunkDigests, address };
    // What stands there already under its name, with or without a record, must not go when this fails.
    const isOurs = isNew || this.#parts.objects.addressOf(sha256) === undefined;
    if (isOurs) catalog.intend(name, record);
    try {
      await this.#send(record, spooled, signal);
      if (!isNew) await this.#mend(record, spooled, signal);
    } catch (error) {
      // Whether the server has it is not known; what cannot be removed now is swept when it is back.
      const isUnknown = !catalog.all(name, sha256, true).some((known) => known.address === address);
      if (isOurs && isUnknown) await this.#abandon(record).catch(orLater);
      throw error;
    }
    catalog.intend(name, record);
    catalog.setComplete(name, record, true);
    return { sha256, sizeBytes, isNew };
  }

  async #send(record: ObjectRecord, spooled: SpooledBytes, signal: AbortSignal): Promise<void> {
    const { server, objects, timers } = this.#parts;
    await server.attempt(async () => {
      using guard = new StallGuard(timers, signal);
      await objects.put(record, guard.watch(spooled.read()), guard.signal);
    }, signal);
  }

  /** A server that leaves alone what it has already may have it damaged: that is looked at, and put right. */
  async #mend(record: ObjectRecord, spooled: SpooledBytes, signal: AbortSignal): Promise<void> {
    const { objects, server, catalog, name } = this.#parts;
    const { repair } = objects;
    if (repair === undefined) return;
    try {
      await drained(readVerified(record, wholeOf(record), this.#parts, signal));
    } catch (error) {
      if (!(error instanceof BlobError) || error.code !== "BLOB_CORRUPT") throw error;
      catalog.setComplete(name, record, false);
      await server.call((one) => repair.call(objects, record.address, one), signal);
      await this.#send(record, spooled, signal);
      await drained(readVerified(record, wholeOf(record), this.#parts, signal));
    }
  }

  async #isKnown(sha256: string, signal: AbortSignal): Promise<boolean> {
    const { catalog, name } = this.#parts;
    return catalog.find(name, sha256) !== undefined || (await this.has(sha256, signal));
  }

  async #remove(sha256: string, signal: AbortSignal): Promise<boolean> {
    const { catalog, name, objects } = this.#parts;
    const records = catalog.all(name, sha256);
    if (records.length === 0) {
      const address = objects.addressOf(sha256);
      if (address === undefined || (await this.#sizeOf(address, undefined, signal)) === undefined)
        return false;
      await this.#parts.server.call((one) => objects.remove(address, one), signal);
      return true;
    }
    for (const record of records) catalog.setComplete(name, record, false);
    for (const record of records) await this.#removeObject(record, signal);
    this.#cache.forget(sha256);
    return true;
  }

  /** Removes an object, unless another record needs what stands there, and then its record. */
  async #removeObject(record: ObjectRecord, signal: AbortSignal): Promise<void> {
    const { catalog, name, objects, server } = this.#parts;
    if (catalog.countAt(record.address) <= 1) {
      await server.call((one) => objects.remove(record.address, one), signal);
    }
    catalog.delete(name, record);
  }

  /** Removes what an upload that did not end may have left. */
  async #abandon(record: ObjectRecord): Promise<void> {
    const { objects, server } = this.#parts;
    const { signal } = this.#closing;
    await server.call(async (one) => await objects.abandon?.(record.address, one), signal);
    await this.#removeObject(record, signal);
  }

  async #adopt(sha256: string, signal: AbortSignal): Promise<ObjectRecord | undefined> {
    const address = this.#parts.objects.addressOf(sha256);
    if (address === undefined) return undefined;
    const sizeBytes = await this.#sizeOf(address, undefined, signal);
    if (sizeBytes === undefined) return undefined;
    return await adopt({ sha256, sizeBytes, address }, this.#parts, signal);
  }

  async #sizeOf(
    address: string,
    record: ObjectRecord | undefined,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { server, objects } = this.#parts;
    return await server.call((one) => objects.sizeOf(address, record, one), signal);
  }

  async *#listRecords(
    after: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<BlobStat, void, undefined> {
    const { catalog, name } = this.#parts;
    for (let last: string | undefined = after; last !== undefined; ) {
      signal?.throwIfAborted();
      const page: BlobStat[] = catalog.page(name, last);
      yield* page;
      last = page.at(-1)?.sha256;
    }
  }

  #signalFor(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
  }
}

async function* checkedBytes(
  source: AsyncIterable<Uint8Array>,
  reservation: Reservation,
  options: PutOptions,
  observe: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0;
  await reservation.grow(0);
  for await (const piece of source) {
    sizeBytes += piece.byteLength;
    assertMaxSize(sizeBytes, options);
    await reservation.grow(piece.byteLength);
    observe(piece);
    yield piece;
  }
}

const wholeOf = ({ sizeBytes }: ObjectRecord): ResolvedRange => ({ startBytes: 0, endBytes: sizeBytes });

async function drained(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _piece of bytes);
}

function orLater(error: unknown): void {
  if (!isServerFailure(error) && !isClosed(error)) throw error;
}

const isClosed = (error: unknown): boolean =>
  error instanceof BlobError && error.code === "BLOB_STORE_CLOSED";
