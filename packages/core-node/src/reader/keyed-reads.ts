import type { Logger, Timers } from "@twentysix/platform";
import {
  createPointReads,
  type DatabaseLocation,
  FileLedger,
  type FileRecords,
  isPostgresUrl,
  localFileRecords,
  localPointReads,
  openConnection,
  type PointReads,
  remoteFileRecords,
  remotePointReads,
} from "@twentysix/storage";
import type { LedgerSettings } from "./reader-protocol.ts";
import { ReaderThread } from "./reader-thread.ts";

/** Reads by key for the main thread. */
export interface KeyedReads extends AsyncDisposable {
  readonly reads: PointReads;
  readonly fileRecords: FileRecords;
}

export interface KeyedReadsOptions {
  readonly database: DatabaseLocation;
  readonly ledger: LedgerSettings;
  readonly timers: Timers;
  readonly log: Logger;
}

const CACHE_BYTES = 8 * 1024 * 1024;
/** Reads by key that wait for their thread at most. */
const MAX_WAITING = 4_096;

/**
 * A database inside of this process answers in microseconds, on the main thread. A server does not, so a thread of
 * their own makes these reads, apart from the one of the lists: behind a long list they would wait.
 */
export function openKeyedReads({ database, ledger, timers, log }: KeyedReadsOptions): KeyedReads {
  if (!isPostgresUrl(database)) {
    const connection = openConnection(database, { readOnly: true, cacheBytes: CACHE_BYTES });
    return {
      reads: localPointReads(createPointReads(connection)),
      fileRecords: localFileRecords(new FileLedger(connection)),
      [Symbol.asyncDispose]: async () => connection.close(),
    };
  }
  const partLog = log.child({ part: "reads" });
  const thread = new ReaderThread({
    databasePath: database,
    ledger,
    timers,
    maxWaiting: MAX_WAITING,
    onThreadLost: (reason) => partLog.error("The thread of reads by key was lost", { error: reason }),
  });
  return {
    reads: remotePointReads((name, parameters) => thread.call({ kind: "point", name, parameters })),
    fileRecords: remoteFileRecords((name, parameters) =>
      thread.call({ kind: "fileRecord", name, parameters }),
    ),
    [Symbol.asyncDispose]: () => thread.close(),
  };
}
