/** What the checkpoint thread is started with. */
export interface CheckpointData {
  readonly path: string;
  /** Int32 cells, see `CELL`. */
  readonly cells: SharedArrayBuffer;
}

/** Cells that the writer and the checkpoint thread share: neither has to wait for the other's event loop. */
export const CELL = { state: 0, movedFrames: 1 } as const;
export const CELL_COUNT = 2;

export const CHECKPOINT_STATE = { idle: 0, wanted: 1, closing: 2, closed: 3, failed: 4 } as const;
