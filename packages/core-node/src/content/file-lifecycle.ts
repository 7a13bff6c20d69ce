import { type Clock, isAbortOf, type Logger, type Random, type Timers } from "@twentysix/platform";
import type { BlobServer, ContentStore, FileNote, FileRecords } from "@twentysix/storage";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { FileEraser } from "./file-eraser.ts";
import { FileHolds } from "./file-holds.ts";
import { FileReconciler, type ReconcileReport } from "./file-reconciler.ts";
import { FileScrubber } from "./file-scrubber.ts";

export interface FileLifecycleOptions {
  readonly contents: ContentStore;
  readonly pipeline: Pick<Pipeline, "noteFiles" | "onCollected">;
  readonly ledger: FileRecords;
  readonly gracePeriodMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

export interface FileLifecycleFigures {
  readonly erasedFiles: number;
  readonly erasedBytes: number;
  readonly pendingDeletions: number;
  readonly damagedFiles: number;
  readonly corruptBlobs: number;
  /** When the next time of grace is over; null when none runs. */
  readonly nextGraceEndMicros: bigint | null;
}

const HOUR_MS = 3_600_000;
/** Bytes without a record may be of a folder that somebody copied and is about to import. */
const STRAY_AGE_MS = 24 * HOUR_MS;
const RECONCILE_PERIOD_MS = 24 * HOUR_MS;
/** After the end of a pass, and after the start. */
const SCRUB_PAUSE_MS = HOUR_MS;

/** What happens to stored bytes once nobody needs them, and what makes sure that records and disk agree. */
export class FileLifecycle {
  readonly holds = new FileHolds();
  readonly #eraser: FileEraser;
  readonly #reconciler: FileReconciler;
  readonly #scrubber: FileScrubber;
  readonly #ledger: FileRecords;
  readonly #stop = new AbortController();
  readonly #unsubscribe: (() => void)[];
  readonly #running: readonly Promise<void>[];

  /** Starts at once: what a crash left of a collection is finished first. */
  constructor(options: FileLifecycleOptions) {
    const { pipeline, timers, log } = options;
    const note = pipeline.noteFiles.bind(pipeline);
    const parts = { ...options, note, holds: this.holds };
    this.#ledger = options.ledger;
    this.#eraser = new FileEraser(parts);
    this.#reconciler = new FileReconciler({
      ...parts,
      strayAgeMs: STRAY_AGE_MS,
      gracePeriodMs: options.gracePeriodMs,
    });
    this.#scrubber = new FileScrubber(parts);
    const { server } = options.contents;
    this.#unsubscribe = [
      pipeline.onCollected(({ files, bytes }) => {
        log.info("Files that nothing pins are collected", { files, bytes });
        this.#eraser.wake();
      }),
      ...(server === null ? [] : this.#listenTo(server, parts)),
    ];
    const { signal } = this.#stop;
    this.#running = [
      timers.every(RECONCILE_PERIOD_MS, () => this.reconcile().then(() => undefined), {
        signal,
        // A server may be away at the start: the comparison begins once it can be asked.
        immediately: server === null,
        onError: (error) => log.error("Records and stored bytes cannot be compared", { error }),
      }),
      timers.every(SCRUB_PAUSE_MS, () => this.#scrubber.run(signal), {
        signal,
        onError: (error) => log.error("Stored bytes cannot be read again", { error }),
      }),
    ];
  }

  /** Holds records and disk against each other once. */
  async reconcile(): Promise<ReconcileReport> {
    const report = await this.#reconciler.run(this.#stop.signal);
    this.#eraser.wake();
    return report;
  }

  /** The journal has something new. */
  eraseDue(): void {
    this.#eraser.wake();
  }

  async figures(): Promise<FileLifecycleFigures> {
    const records = await this.#ledger.figures();
    const { files, bytes } = this.#eraser.erased;
    return {
      erasedFiles: files,
      erasedBytes: bytes,
      corruptBlobs: this.#scrubber.corrupt,
      ...records,
    };
  }

  async close(): Promise<void> {
    for (const end of this.#unsubscribe) end();
    this.#stop.abort();
    await Promise.all(this.#running);
    await this.#eraser.close();
  }

  /** What was in the way of a server that was away goes on; what it gave back changed is marked. */
  #listenTo(
    server: BlobServer,
    { note, log }: { readonly note: (note: FileNote) => Promise<void>; readonly log: Logger },
  ): (() => void)[] {
    server.whenUsable("compare records and stored bytes", async () => {
      await this.reconcile().catch((error: unknown) => {
        if (!isAbortOf(this.#stop.signal, error)) throw error;
      });
    });
    const noted = (sha256: string, error: unknown): void =>
      log.error("A damaged file cannot be marked", { sha256, error });
    return [
      server.onBack(() => this.#eraser.wake()),
      server.onDamage((sha256) => {
        log.error("The server of the files gave back other bytes: upload or fetch them again", { sha256 });
        note({ kind: "damaged", names: [sha256], damage: "corrupt" }).catch((error: unknown) =>
          noted(sha256, error),
        );
      }),
    ];
  }
}
