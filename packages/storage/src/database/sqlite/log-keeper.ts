import { Checkpointer } from "./checkpointer.ts";
import type { SqliteConnection } from "./connection.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

const BATCHES_PER_LOOK = 8;

/** Moves what was committed from the log of the writer into its database. */
export class LogKeeper {
  readonly #connection: SqliteConnection;
  readonly #log: WriteAheadLog;
  readonly #checkpointer: Checkpointer | null;
  #batchesSinceLook = 0;

  /** @param isApart checkpoints on a thread of their own; else nothing is moved unless `checkpoint` is called */
  constructor(connection: SqliteConnection, path: string, isApart: boolean) {
    this.#connection = connection;
    this.#log = new WriteAheadLog(path);
    this.#checkpointer = isApart ? new Checkpointer(path) : null;
  }

  /** Whatever is deleted is overwritten, whole pages included: a FORGET promises that the text is gone. */
  begin(): void {
    this.#connection.exec("PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON");
  }

  /** Moves committed pages from the log into the database; `truncate` also empties the log. */
  checkpoint(mode: "passive" | "truncate"): void {
    this.#connection.exec(`PRAGMA wal_checkpoint(${mode})`);
  }

  /** Keeps the log within its bound. */
  checkpointIfLarge(): void {
    this.#batchesSinceLook += 1;
    if (this.#checkpointer === null || this.#batchesSinceLook < BATCHES_PER_LOOK) return;
    this.#batchesSinceLook = 0;
    if (this.#checkpointer.advise(this.#log.frames()) === "fold") this.checkpoint("passive");
  }

  /** Ends the checkpoint thread, so that the connection of the writer is the last one that writes. */
  endCheckpoints(): void {
    this.#checkpointer?.close();
  }

  close(): void {
    this.#log.close();
  }
}
