import type { Clock, Logger, Timers } from "@twentysix/platform";
import { createDeferred, type Deferred } from "@twentysix/platform";
import type { Candidate, MessageStore } from "@twentysix/storage";
import type { BatchWriter } from "./batch-writer.ts";
import type { BatchReport, CopyJob, SideJob } from "./jobs.ts";

export interface WriterLoopOptions {
  readonly store: MessageStore;
  readonly writer: BatchWriter;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** Moves jobs that have arrived into the loop; called between batches, never blocks. */
  readonly drain: () => void;
  readonly onReport: (report: BatchReport) => void;
  /** Called between two batches. */
  readonly afterBatch?: () => Promise<void>;
  /** A copy that makes the rules throw: a defect. It is counted, logged and tried again later. */
  readonly onDefect: (error: unknown, copy: CopyJob | Candidate) => void;
  /** A slice of background work for when nothing waits; false when there is none left. */
  readonly onIdle: () => boolean | Promise<boolean>;
}

/** Work that one transaction should take, so that nobody waits long for the next. */
const TARGET_BATCH_MS = 10;
/** Where a commit takes longer than that, a batch works as long as a commit takes, up to this. */
const MAX_BATCH_MS = 50;
/** While everything that waits is bulk nobody waits for an answer: large batches write each page less often. */
const BULK_BATCH_MS = 150;
const MIN_BATCH = 8;
const MAX_BATCH = 512;
const MAX_BULK_BATCH = 4_096;
/** A sleeping loop looks at the queue at least this often. */
const MAX_SLEEP_MS = 5_000;

/** Takes what has arrived and what is due, batch after batch; each batch is one transaction and one sync. */
export class WriterLoop {
  readonly #options: WriterLoopOptions;
  #copies: CopyJob[] = [];
  #sideJobs: SideJob[] = [];
  #batchLimit = 64;
  /** Copies that wait and for whose outcome somebody may wait. */
  #urgent = 0;
  #wake: Deferred<void> | null = null;
  #stopping = false;
  #candidatesMayBeDue = true;

  constructor(options: WriterLoopOptions) {
    this.#options = options;
  }

  addCopies(jobs: readonly CopyJob[]): void {
    for (const job of jobs) {
      this.#copies.push(job);
      if (isUrgent(job)) this.#urgent += 1;
    }
    this.#wake?.resolve();
  }

  addSideJob(job: SideJob): void {
    this.#sideJobs.push(job);
    this.#wake?.resolve();
  }

  /** Makes a sleeping loop look again. */
  nudge(): void {
    this.#wake?.resolve();
  }

  /** The loop ends once everything that has arrived is committed. */
  stop(): void {
    this.#stopping = true;
    this.#wake?.resolve();
  }

  get queued(): number {
    return this.#copies.length;
  }

  async run(): Promise<void> {
    for (;;) {
      this.#options.drain();
      const worked = await this.#runBatch();
      if (worked) continue;
      if (this.#stopping) return;
      if (!(await this.#options.onIdle())) await this.#sleep();
    }
  }

  async #runBatch(): Promise<boolean> {
    const { store } = this.#options;
    const isBulk = this.#urgent === 0;
    const limit = isBulk ? this.#batchLimit : Math.min(this.#batchLimit, MAX_BATCH);
    const copies = this.#copies.splice(0, limit);
    this.#urgent -= copies.filter(isUrgent).length;
    const sideJobs = this.#sideJobs;
    this.#sideJobs = [];
    const candidates = this.#takeDue();
    if (copies.length + sideJobs.length + candidates.length === 0) return false;
    const left = await this.#write(sideJobs, copies, candidates);
    this.#copies.unshift(...left);
    this.#urgent += left.filter(isUrgent).length;
    const taken = copies.length - left.length + candidates.length;
    await this.#options.afterBatch?.();
    this.#adapt(taken, isBulk ? BULK_BATCH_MS : TARGET_BATCH_MS);
    store.checkpointIfLarge();
    return true;
  }

  /** Due candidates, unless nothing can have become due since the last look. */
  #takeDue(): Candidate[] {
    if (this.#stopping || !this.#candidatesMayBeDue) return [];
    const { store, clock } = this.#options;
    const due = store.due(clock.nowMicros(), this.#batchLimit);
    if (due.length === 0) this.#candidatesMayBeDue = false;
    return due;
  }

  /** Returns the copies that are for the next batch. */
  async #write(
    sideJobs: readonly SideJob[],
    copies: readonly CopyJob[],
    candidates: readonly Candidate[],
  ): Promise<readonly CopyJob[]> {
    try {
      const { left, ...report } = await this.#options.writer.write({ sideJobs, copies, candidates });
      this.#report(report);
      return left;
    } catch (error) {
      if (isStorageFailure(error) || copies.length + candidates.length === 0) throw error;
      if (copies.length + candidates.length === 1) {
        const culprit = copies[0] ?? candidates[0];
        if (culprit !== undefined) await this.#setAside(error, culprit, sideJobs);
        return [];
      }
      await this.#writeSingly(sideJobs, copies, candidates);
      return [];
    }
  }

  /** One copy that makes the rules throw must not hold back the others of its batch. */
  async #writeSingly(
    sideJobs: readonly SideJob[],
    copies: readonly CopyJob[],
    candidates: readonly Candidate[],
  ): Promise<void> {
    if (sideJobs.length > 0)
      this.#report(await this.#options.writer.write({ sideJobs, copies: [], candidates: [] }));
    for (const candidate of candidates) await this.#write([], [], [candidate]);
    for (const copy of copies) await this.#write([], [copy], []);
  }

  async #setAside(error: unknown, culprit: CopyJob | Candidate, sideJobs: readonly SideJob[]): Promise<void> {
    this.#options.onDefect(error, culprit);
    this.#report(await this.#options.writer.setAside(culprit, sideJobs));
  }

  #report(report: BatchReport): void {
    if (report.woken > 0 || report.results.some((result) => result.status === "pending")) {
      this.#candidatesMayBeDue = true;
    }
    if (report.changes.some((change) => change.status === "pending")) this.#candidatesMayBeDue = true;
    this.#options.onReport(report);
  }

  #adapt(size: number, shortestMs: number): void {
    if (size < this.#batchLimit / 2) return;
    const { workMs, commitMs } = this.#options.writer;
    const targetMs = Math.max(shortestMs, Math.min(MAX_BATCH_MS, commitMs));
    const ideal = Math.round((size * targetMs) / Math.max(workMs, 0.1));
    const next = Math.round((this.#batchLimit + ideal) / 2);
    this.#batchLimit = Math.min(MAX_BULK_BATCH, Math.max(MIN_BATCH, next));
  }

  async #sleep(): Promise<void> {
    const { store, clock, timers } = this.#options;
    const dueMicros = store.nextDueMicros();
    const untilDueMs =
      dueMicros === null ? MAX_SLEEP_MS : Number((dueMicros - clock.nowMicros()) / 1000n) + 1;
    const wake = createDeferred<void>();
    this.#wake = wake;
    const cancel = timers.schedule(Math.min(MAX_SLEEP_MS, Math.max(1, untilDueMs)), () => wake.resolve());
    await wake.promise;
    cancel();
    this.#wake = null;
    this.#candidatesMayBeDue = true;
  }
}

const isUrgent = ({ isBulk }: CopyJob): boolean => isBulk !== true;

const STORAGE_FAILURES = new Set(["ERR_SQLITE_ERROR", "DATABASE_LOST", "DATABASE_TAKEN_OVER"]);

/** The database itself failed (disk full, input/output): no copy is to blame and nothing can go on. */
function isStorageFailure(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return STORAGE_FAILURES.has(String(error.code));
}
