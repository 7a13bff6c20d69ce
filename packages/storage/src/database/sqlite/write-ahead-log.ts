import { closeSync, openSync, readSync } from "node:fs";

/** Where the index of the log keeps the number of its last frame. Source: SQLite, file format, "WAL-Index Format". */
const LAST_FRAME_OFFSET = 16;

/**
 * Looks into the write-ahead log of an open database. Its file keeps the largest size it ever had, so only the
 * index tells how much it holds.
 */
export class WriteAheadLog {
  readonly #path: string;
  readonly #field = new Uint32Array(1);
  #file: number | null = null;

  constructor(databasePath: string) {
    this.#path = `${databasePath}-shm`;
  }

  /** Pages in the log since it was last started over. */
  frames(): number {
    this.#file ??= openSync(this.#path, "r");
    readSync(this.#file, this.#field, 0, 4, LAST_FRAME_OFFSET);
    return this.#field[0] ?? 0;
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}
