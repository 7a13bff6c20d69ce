import { Worker } from "node:worker_threads";
import { CELL, CELL_COUNT, CHECKPOINT_STATE, type CheckpointData } from "./checkpoint-protocol.ts";

/** How many pages the log may hold. */
export interface LogLimits {
  /** More than this the thread moves into the database. */
  readonly maxFrames: number;
  /** So few the writer moves itself, between two batches: only then does the log start over. */
  readonly fewFrames: number;
  /** Beyond this the writer moves what is left after a pass, however much, and the log is a file of bounded size. */
  readonly hardFrames: number;
}

/** Pages have 4 KiB: the file of the log takes some 300 MiB where messages pour in. */
const LIMITS: LogLimits = { maxFrames: 16_384, fewFrames: 1_024, hardFrames: 65_536 };
/** A writer that outruns the thread by as many hard limits waits for it. */
const OUTRUN = 2;
/** Longest time that one pass is waited for. */
const PASS_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 10_000;
const HEAP = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };

/** What the writer is to do with its log. */
export type CheckpointAdvice = "nothing" | "fold";

/**
 * Checkpoints on a thread of their own, so that the writer does not wait for the pages of a whole log to be
 * written and synced. While the writer goes on the log never ends, so the thread passes over it until little is
 * left, which the writer then moves itself.
 */
export class Checkpointer {
  readonly #cells = new Int32Array(new SharedArrayBuffer(CELL_COUNT * Int32Array.BYTES_PER_ELEMENT));
  readonly #worker: Worker;
  readonly #limits: LogLimits;
  /** What the last pass over this log found when it began. */
  #lastPass: { readonly frames: number; readonly left: number } | null = null;

  constructor(path: string, limits = LIMITS) {
    this.#limits = limits;
    const data: CheckpointData = { path, cells: this.#cells.buffer as SharedArrayBuffer };
    this.#worker = new Worker(new URL("./checkpoint-worker.ts", import.meta.url), {
      name: "checkpoint",
      workerData: data,
      resourceLimits: HEAP,
    });
    // A failure is found in the shared cells, by the writer's own thread.
    this.#worker.on("error", () => undefined);
    this.#worker.unref();
  }

  /**
   * To be asked after every batch. Waits for the thread where the writer outruns it.
   *
   * @param frames pages in the log now
   * @throws Error when the thread failed
   */
  advise(frames: number): CheckpointAdvice {
    const { maxFrames, fewFrames, hardFrames } = this.#limits;
    if (this.#state() === CHECKPOINT_STATE.wanted && frames > OUTRUN * hardFrames) this.#waitForPass();
    const state = this.#state();
    if (state === CHECKPOINT_STATE.failed) throw new Error("The checkpoint thread failed: is the disk full?");
    if (state === CHECKPOINT_STATE.wanted) return "nothing";
    if (frames <= maxFrames) {
      this.#lastPass = null;
      return "nothing";
    }
    const last = this.#lastPass;
    const left = last === null ? frames : frames - Atomics.load(this.#cells, CELL.movedFrames);
    if (last !== null && (left <= fewFrames || last.frames > hardFrames)) {
      this.#lastPass = null;
      return "fold";
    }
    // A pass that leaves half of what it found will hardly be followed by a shorter one: pages are written less often
    // when more of them wait.
    const isWorthIt = last === null || left <= last.left / 2 || left > maxFrames || frames > hardFrames;
    if (isWorthIt) this.#pass({ frames, left });
    return "nothing";
  }

  /** Waits until the thread has let go of the database; a pass that it makes is finished. */
  close(): void {
    const before = Atomics.exchange(this.#cells, CELL.state, CHECKPOINT_STATE.closing);
    Atomics.notify(this.#cells, CELL.state);
    if (before !== CHECKPOINT_STATE.failed)
      Atomics.wait(this.#cells, CELL.state, CHECKPOINT_STATE.closing, CLOSE_TIMEOUT_MS);
    void this.#worker.terminate();
  }

  #pass(found: { readonly frames: number; readonly left: number }): void {
    this.#lastPass = found;
    Atomics.store(this.#cells, CELL.state, CHECKPOINT_STATE.wanted);
    Atomics.notify(this.#cells, CELL.state);
  }

  #state(): number {
    return Atomics.load(this.#cells, CELL.state);
  }

  #waitForPass(): void {
    Atomics.wait(this.#cells, CELL.state, CHECKPOINT_STATE.wanted, PASS_TIMEOUT_MS);
  }
}
