import { type Clock, createDeferred, type Deferred, type Logger, type Timers } from "@twentysix/platform";
import {
  type ContentStore,
  type FileNote,
  type FileRecords,
  type PendingDeletion,
  ReadError,
} from "@twentysix/storage";
import type { FileHolds } from "./file-holds.ts";

export interface FileEraserOptions {
  readonly contents: ContentStore;
  readonly ledger: FileRecords;
  readonly holds: FileHolds;
  /** Resolves once the note is durable. */
  readonly note: (note: FileNote) => Promise<void>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Names taken at once: one sync of the database ends their entries. */
const SLICE = 64;
/** Most names looked at for those that nobody is busy with. */
const LOOK = 256;
/** Before what failed, or was in use, is tried again without a reason to. */
const RETRY_MS = 60_000;

/**
 * Removes the bytes that the journal names. An entry ends after its bytes, so what a crash interrupts is done again
 * at the next start; a name that somebody is busy with waits, and one that was registered meanwhile stays.
 */
export class FileEraser {
  readonly #options: FileEraserOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #wake: Deferred<void> = createDeferred<void>();
  #erasedFiles = 0;
  #erasedBytes = 0;

  constructor(options: FileEraserOptions) {
    this.#options = options;
    options.holds.onFree = () => this.wake();
    this.#running = this.#run();
  }

  /** Files and bytes removed since the start. */
  get erased(): { readonly files: number; readonly bytes: number } {
    return { files: this.#erasedFiles, bytes: this.#erasedBytes };
  }

  /** The journal may have a new entry, or a name may have become free. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Ends after the slice in hand. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#wake = createDeferred<void>();
      if (!(await this.#eraseSlice())) await this.#sleep();
    }
  }

  /** False when nothing is left that could be done now. */
  async #eraseSlice(): Promise<boolean> {
    const { ledger, clock, log, note } = this.#options;
    using taken = new DisposableStack();
    try {
      const names: string[] = [];
      for (const deletion of await ledger.dueDeletions(clock.nowMicros(), LOOK)) {
        if (names.length === SLICE || this.#stop.signal.aborted) break;
        if (this.#take(deletion, taken) && (await this.#erase(deletion))) names.push(deletion.name);
      }
      if (names.length === 0) return false;
      await note({ kind: "erased", names });
      return names.length === SLICE;
    } catch (error) {
      if (!this.#stop.signal.aborted)
        log.error("Collected files cannot be removed; tried again later", { error });
      return false;
    }
  }

  #take({ name, cid }: PendingDeletion, taken: DisposableStack): boolean {
    const { holds } = this.#options;
    const held = holds.takeForDeletion(name);
    if (held === null) return false;
    taken.use(held);
    if (cid === null || cid === name) return true;
    const further = holds.takeForDeletion(cid);
    if (further === null) return false;
    taken.use(further);
    return true;
  }

  /** Removes the bytes of one entry; true when the entry is done with. */
  async #erase({ name, cid, sizeBytes }: PendingDeletion): Promise<boolean> {
    const { contents, ledger, log } = this.#options;
    // Now that nobody else can be busy with the name: was it registered between the first look and here?
    if (!(await ledger.isDeletionPending(name))) return false;
    if (await ledger.isRegistered(name)) return true;
    try {
      if (cid !== null && cid !== name && !(await this.#isNamedByOthers(cid))) await contents.remove(cid);
      if (await this.#isOnlyCopyOfOthers(name)) return true;
      if (await contents.remove(name)) {
        this.#erasedFiles += 1;
        this.#erasedBytes += sizeBytes;
      }
      return true;
    } catch (error) {
      log.error("A collected file cannot be removed; tried again later", { error, name });
      return false;
    }
  }

  async #isNamedByOthers(cid: string): Promise<boolean> {
    const { contents, ledger } = this.#options;
    if (await ledger.isRegistered(cid)) return true;
    const file = (await contents.index.find(cid))?.file;
    return file !== undefined && (await ledger.isFurtherName(cid, file));
  }

  /** Bytes that a file registered under a CID needs although the index of blocks has lost it. */
  async #isOnlyCopyOfOthers(name: string): Promise<boolean> {
    const { contents, ledger } = this.#options;
    return (await ledger.isRegisteredByCid(name)) && (await contents.index.rootsOfFile(name)).length === 0;
  }

  async #sleep(): Promise<void> {
    const { timers } = this.#options;
    const wake = this.#wake;
    const untilDueMs = await this.#untilDueMs();
    const cancel =
      untilDueMs === null
        ? () => undefined
        : timers.schedule(untilDueMs <= 0 ? RETRY_MS : Math.min(untilDueMs, MAX_DELAY_MS), () =>
            wake.resolve(),
          );
    await wake.promise;
    cancel();
  }

  /** null when nothing waits; not above 0 when something is due, or when that cannot be told for now. */
  async #untilDueMs(): Promise<number | null> {
    const { ledger, clock, log } = this.#options;
    try {
      const dueMicros = await ledger.nextDeletionMicros();
      return dueMicros === null ? null : Number((dueMicros - clock.nowMicros()) / 1_000n) + 1;
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      log.warn("The journal of collected files cannot be read; tried again later", { error });
      return 0;
    }
  }
}

/** Timers count with 31 bits. */
const MAX_DELAY_MS = 2 ** 31 - 1;
