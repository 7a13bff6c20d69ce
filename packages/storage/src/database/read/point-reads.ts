import type { ChainRecords } from "./chain/chain-records-reader.ts";
import type { FileLedger } from "./file-ledger.ts";
import { liveChunkOf } from "./point/live-messages.ts";
import { atOnce, promisedBy, type ReadByName } from "./promised-reads.ts";
import type { PointReads, Promised, SyncPointReads } from "./types.ts";

/** Every point read, each exactly once. */
const POINT_READS: Readonly<Record<keyof SyncPointReads, true>> = {
  statusOf: true,
  messageView: true,
  messageJson: true,
  factsOf: true,
  contentJson: true,
  rawMessage: true,
  eventsOf: true,
  aggregates: true,
  aggregateVersions: true,
  file: true,
  pinCount: true,
  fileOfMessage: true,
  fileByRef: true,
  postTypesOf: true,
  channelsOf: true,
  statsOf: true,
  totals: true,
  liveMessages: true,
  liveRows: true,
  lastSeq: true,
  balanceOf: true,
  accountMark: true,
  fullPublications: true,
  creditAmounts: true,
  billedMessage: true,
  consumedCredits: true,
  costSummary: true,
  referencedBytes: true,
};

const FILE_RECORDS: Readonly<Record<keyof FileLedger, true>> = {
  dueDeletions: true,
  nextDeletionMicros: true,
  isDeletionPending: true,
  wantedFiles: true,
  keptFiles: true,
  keptFile: true,
  heldAs: true,
  peerFaults: true,
  isRegistered: true,
  isRegisteredByCid: true,
  isFurtherName: true,
  registered: true,
  figures: true,
};

const CHAIN_RECORDS: Readonly<Record<keyof ChainRecords, true>> = {
  position: true,
  blocks: true,
  due: true,
  figures: true,
  openPacks: true,
  troubled: true,
  packOfNonce: true,
  isTaken: true,
  hasUntried: true,
  unconfirmed: true,
  undecided: true,
};

/** What the database says of chains, for a thread that must not block. */
export type ChainRecordReads = Promised<ChainRecords>;

/** What the database says of chains, answered by another thread. */
export function remoteChainRecords(read: ReadByName): ChainRecordReads {
  return promisedBy<ChainRecords>(namesOf(CHAIN_RECORDS), read);
}

/** The file ledger for a thread that must not block. */
export type FileRecords = Promised<FileLedger>;

const namesOf = <Name extends string>(names: Readonly<Record<Name, true>>): Name[] =>
  Object.keys(names) as Name[];

/** Point reads out of a database inside of this process. */
export function localPointReads(reads: SyncPointReads): PointReads {
  return promisedBy(namesOf(POINT_READS), atOnce(reads));
}

/** Point reads that another thread answers. */
export function remotePointReads(read: ReadByName): PointReads {
  const reads = promisedBy<SyncPointReads>(namesOf(POINT_READS), read);
  return {
    ...reads,
    liveMessages: async (afterSeq, limits) => liveChunkOf(await reads.liveRows(afterSeq, limits)),
  };
}

/** The file ledger out of a database inside of this process. */
export function localFileRecords(ledger: FileLedger): FileRecords {
  return promisedBy(namesOf(FILE_RECORDS), atOnce(ledger));
}

/** The file ledger that another thread answers. */
export function remoteFileRecords(read: ReadByName): FileRecords {
  return promisedBy<FileLedger>(namesOf(FILE_RECORDS), read);
}
