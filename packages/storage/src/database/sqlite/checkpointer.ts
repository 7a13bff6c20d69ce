import { Worker } from "node:worker_threads";
import { CELL, CELL_COUNT, CHECKPOINT_STATE, type CheckpointData } from "./checkpoint-protocol.ts";

/** A log of more pages than this is folded back into the database. */
const MAX_LOG_FRAMES = 16_384;
/** So few pages the writer moves itself, between two batches: only then does the log start over. */
const FEW_FRAMES = 1_024;
/** A log that outgrows the thread is folded back by the writer, whatever that takes. */
const HARD_LOG_FRAMES = 131_072;
const CLOSE_TIMEOUT_MS = 5_000;
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
  #hasPassed = false;

  constructor(path: string) {
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
   * @param frames pages in the log now
   * @throws Error when the thread failed
   */
  advise(frames: number): CheckpointAdvice {
    const state = Atomics.load(this.#cells, CELL.state);
    if (state === CHECKPOINT_STATE.failed) throw new Error("The checkpoint thread failed: is the disk full?");
    if (frames <= MAX_LOG_FRAMES) {
      this.#hasPassed = false;
      return "nothing";
    }
    if (state === CHECKPOINT_STATE.wanted) return frames > HARD_LOG_FRAMES ? "fold" : "nothing";
    if (this.#hasPassed && frames - Atomics.load(this.#cells, CELL.movedFrames) <= FEW_FRAMES) {
      this.#hasPassed = false;
      return "fold";
    }
    this.#hasPassed = true;
    Atomics.store(this.#cells, CELL.state, CHECKPOINT_STATE.wanted);
    Atomics.notify(this.#cells, CELL.state);
    return "nothing";
  }

  /** Waits until the thread has let go of the database. */
  close(): void {
    const before = Atomics.exchange(this.#cells, CELL.state, CHECKPOINT_STATE.closing);
    Atomics.notify(this.#cells, CELL.state);
    if (before !== CHECKPOINT_STATE.failed)
      Atomics.wait(this.#cells, CELL.state, CHECKPOINT_STATE.closing, CLOSE_TIMEOUT_MS);
    void this.#worker.terminate();
  }
}
