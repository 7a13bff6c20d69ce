import type { Clock, Logger, Timers } from "@twentysix/platform";
import {
  BlobError,
  type ContentStore,
  type FileNote,
  type FileRecords,
  isServerFailure,
} from "@twentysix/storage";

export interface FileReconcilerOptions {
  readonly contents: ContentStore;
  readonly ledger: FileRecords;
  readonly note: (note: FileNote) => Promise<void>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** How long bytes without a record are left alone after they were found. */
  readonly strayAgeMs: number;
  /** Grace of a record that nothing pins. */
  readonly gracePeriodMs: number;
}

export interface ReconcileReport {
  /** Names of bytes that no record knows. */
  readonly strays: number;
  /** Registered files without bytes. */
  readonly missing: number;
}

const SLICE = 64;
const PAUSE_MS = 20;

/**
 * Holds the records and the disk against each other, both ways, a slice at a time. Bytes without a record go into
 * the journal and leave after a safe age; a record without bytes is marked, and mended when the file comes again.
 * What is seen is only a hint: the transaction that writes it down looks again.
 */
export class FileReconciler {
  readonly #options: FileReconcilerOptions;

  constructor(options: FileReconcilerOptions) {
    this.#options = options;
  }

  /** One pass over everything. @throws the signal's reason */
  async run(signal: AbortSignal): Promise<ReconcileReport> {
    const { contents, ledger } = this.#options;
    const strays =
      (await this.#noteStrays(fileStrays(contents, ledger, signal), signal)) +
      (await this.#noteStrays(dagStrays(contents, ledger, signal), signal));
    return { strays, missing: await this.#checkRecords(signal) };
  }

  async #noteStrays(found: AsyncIterable<Stray | null>, signal: AbortSignal): Promise<number> {
    const { note, clock, strayAgeMs, timers, log } = this.#options;
    let strays: Stray[] = [];
    let seen = 0;
    let total = 0;
    const write = async (): Promise<void> => {
      if (strays.length === 0) return;
      total += strays.length;
      log.warn("Files without a record; they are removed later unless they are registered", {
        count: strays.length,
        first: strays[0]?.name,
      });
      await note({ kind: "strays", strays, dueMicros: clock.nowMicros() + BigInt(strayAgeMs) * 1_000n });
      strays = [];
    };
    for await (const stray of found) {
      if (stray !== null) strays.push(stray);
      seen += 1;
      if (seen % SLICE !== 0) continue;
      await write();
      await timers.sleep(PAUSE_MS, signal);
    }
    await write();
    return total;
  }

  async #checkRecords(signal: AbortSignal): Promise<number> {
    const { ledger, timers, note, log, clock, gracePeriodMs } = this.#options;
    let missingTotal = 0;
    for (let afterId = 0; ; ) {
      const slice = await ledger.registered(afterId, SLICE);
      const last = slice.at(-1);
      if (last === undefined) return missingTotal;
      afterId = last.id;
      const missing: string[] = [];
      const recovered: string[] = [];
      for (const { name, damage } of slice) {
        const isHere = await this.#isHere(name, signal);
        if (!isHere && damage !== "elsewhere") missingTotal += 1;
        if (!isHere && damage === null) missing.push(name);
        if (isHere && (damage === "missing" || damage === "elsewhere")) recovered.push(name);
      }
      const unpinned = slice.filter(({ isPinned }) => !isPinned).map(({ name }) => name);
      if (missing.length > 0) {
        log.error("Registered files whose bytes are missing: upload or fetch them again", { names: missing });
        await note({ kind: "damaged", names: missing, damage: "missing" });
      }
      if (recovered.length > 0) await note({ kind: "recovered", names: recovered });
      if (unpinned.length > 0) {
        const graceUntilMicros = clock.nowMicros() + BigInt(gracePeriodMs) * 1_000n;
        await note({ kind: "unpinned", names: unpinned, graceUntilMicros });
      }
      await timers.sleep(PAUSE_MS, signal);
    }
  }

  async #isHere(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#options.contents.stat(name, signal)) !== undefined;
    } catch (error) {
      // A server that cannot be asked has lost nothing.
      if (error instanceof BlobError && !isServerFailure(error)) return false;
      throw error;
    }
  }
}

interface Stray {
  readonly name: string;
  readonly sizeBytes: number;
}

/** One for each plain file: null where a record or a DAG has it. */
async function* fileStrays(
  contents: ContentStore,
  ledger: FileRecords,
  signal: AbortSignal,
): AsyncGenerator<Stray | null, void, undefined> {
  for await (const { sha256, sizeBytes } of contents.files.list({ signal })) {
    const isKnown =
      (await ledger.isRegistered(sha256)) ||
      (await ledger.isRegisteredByCid(sha256)) ||
      (await ledger.isDeletionPending(sha256)) ||
      (await contents.index.rootsOfFile(sha256)).length > 0;
    yield isKnown ? null : { name: sha256, sizeBytes };
  }
}

/** One for each DAG: null where a record has it, under its own name or as a further one. */
async function* dagStrays(
  contents: ContentStore,
  ledger: FileRecords,
  signal: AbortSignal,
): AsyncGenerator<Stray | null, void, undefined> {
  for await (const { root, file, cumulativeSizeBytes } of contents.index.list(signal)) {
    const isKnown =
      (await ledger.isRegistered(root)) ||
      (await ledger.isDeletionPending(root)) ||
      (file !== undefined && (await ledger.isFurtherName(root, file)));
    yield isKnown ? null : { name: root, sizeBytes: cumulativeSizeBytes };
  }
}
