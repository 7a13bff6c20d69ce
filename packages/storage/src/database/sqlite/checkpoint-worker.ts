import { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { CELL, CHECKPOINT_STATE, type CheckpointData } from "./checkpoint-protocol.ts";

/*
 * Thread: moves committed pages from the log into the database while the writer goes on. It imports next to
 * nothing, since every thread has a heap of its own.
 */

const { path, cells: shared } = workerData as CheckpointData;
const cells = new Int32Array(shared);

function settle(from: number, to: number): void {
  Atomics.compareExchange(cells, CELL.state, from, to);
  Atomics.notify(cells, CELL.state);
}

/** Checkpoints whenever one is wanted, until the end is. */
function serve(): void {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA synchronous = FULL; PRAGMA cache_size = -256; PRAGMA wal_autocheckpoint = 0");
  const passive = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
  for (;;) {
    Atomics.wait(cells, CELL.state, CHECKPOINT_STATE.idle);
    if (Atomics.load(cells, CELL.state) === CHECKPOINT_STATE.closing) break;
    const row = passive.get() as { checkpointed: number };
    Atomics.store(cells, CELL.movedFrames, row.checkpointed);
    settle(CHECKPOINT_STATE.wanted, CHECKPOINT_STATE.idle);
  }
  database.close();
}

try {
  serve();
  settle(CHECKPOINT_STATE.closing, CHECKPOINT_STATE.closed);
} catch (error) {
  Atomics.store(cells, CELL.state, CHECKPOINT_STATE.failed);
  Atomics.notify(cells, CELL.state);
  throw error;
}
