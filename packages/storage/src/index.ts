/**
 * The door of whoever is neither the writer nor the reader: files, reads by key. What reads lists and what writes is
 * behind doors of its own, for every module that a thread loads and does not use takes memory of it for as long as it
 * lives.
 */

export type { BlobEngine, BlobServer } from "./blobs/blob-engine.ts";
export { blobFilePath } from "./blobs/blob-paths.ts";
export { openCar } from "./blobs/car-reader.ts";
export { ContentReader, type ContentReaderOptions } from "./blobs/content-reader.ts";
export { ContentStore, type ContentStoreOptions } from "./blobs/content-store.ts";
export { createBlobEngine } from "./blobs/create-engine.ts";
export { FileNamer } from "./blobs/describe-file.ts";
export { makeDurableFolder } from "./blobs/durable-folder.ts";
export { BlobError, type BlobErrorCode, isServerFailure } from "./blobs/errors.ts";
export { fileEngine } from "./blobs/file-engine.ts";
export type { FileSystem, ReadableFile, WritableFile } from "./blobs/file-system.ts";
export { type DagScope, exportPathCar, followPath, type PathEnd } from "./blobs/path-car.ts";
export {
  assertPossession,
  type GivenProof,
  isRefuted,
  provePossession,
  sizeOfRoot,
  wayToFault,
} from "./blobs/possession-proof.ts";
export { scrub } from "./blobs/scrub.ts";
export * from "./database/chain-records.ts";
export * from "./database/codes.ts";
export { decodeCostLines } from "./database/cost-lines.ts";
export { forgottenLeaf } from "./database/merkle/leaf.ts";
export { STATE_ROOT_ALGORITHM } from "./database/merkle/root-algorithm.ts";
export type { StateRoot } from "./database/merkle/state-tree.ts";
export type { LogPart, TreeLeaf, TreeState } from "./database/merkle/tree-reads.ts";
export { CommitListener } from "./database/postgres/commit-listener.ts";
export { DatabaseError, type DatabaseErrorCode } from "./database/postgres/database-error.ts";
export {
  type ChainFigures,
  ChainRecords,
  type TroubledChainEvent,
  type UnconfirmedMessage,
  type UnconfirmedStep,
  type UndecidedCopy,
} from "./database/read/chain/chain-records-reader.ts";
export {
  FileLedger,
  type FileLedgerFigures,
  type KeptCoding,
  type KeptFileRecord,
  type KeptShard,
  type PeerFaultRecord,
  type PendingDeletion,
  type Proven,
  type RegisteredFile,
  type WantedFile,
  type WantedFiles,
  type WantedPage,
  type WantedTurn,
} from "./database/read/file-ledger.ts";
export { costLineJson } from "./database/read/ledger/cost-line-json.ts";
export type * from "./database/read/ledger/ledger-views.ts";
export { CREDIT_SORTS } from "./database/read/ledger/ledger-views.ts";
export type { BoundedPageRequest, ChunkRequest, ListReader } from "./database/read/lists/list-reader.ts";
export { joinTexts, LONG_TEXT_BYTES, sizeOfText } from "./database/read/long-text/item-text.ts";
export { matchesFilter } from "./database/read/message/matches-filter.ts";
export type * from "./database/read/message-view.ts";
export type * from "./database/read/node-metrics-views.ts";
export { renderMessageView } from "./database/read/point/render-view.ts";
export {
  type ChainRecordReads,
  type FileRecords,
  localFileRecords,
  localPointReads,
  remoteChainRecords,
  remoteFileRecords,
  remotePointReads,
} from "./database/read/point-reads.ts";
export { atOnce, type ReadByName } from "./database/read/promised-reads.ts";
export { type ReadBudget, UNLIMITED } from "./database/read/read-budget.ts";
export { READ_ERROR_CODES, ReadError, type ReadErrorCode } from "./database/read/read-error.ts";
export type { ListName, ListQueries, SyncListReads } from "./database/read/sync-list-reads.ts";
export { createPointReads } from "./database/read/sync-point-reads.ts";
export type * from "./database/read/text-types.ts";
export type * from "./database/read/types.ts";
export { EXTRA_FIELDS, PAYMENT_TYPES } from "./database/read/types.ts";
export type { Schema } from "./database/schema.ts";
export type { SqlConnection, SqlRow, SqlValue } from "./database/sql/connection.ts";
export {
  type DatabaseLocation,
  isPostgresUrl,
  type OpenOptions,
  openConnection,
} from "./database/sql/open-connection.ts";
export { SqliteConnection, type SqliteOptions } from "./database/sqlite/connection.ts";
export type { Candidate, CandidateState, NewCandidate } from "./database/write/candidates.ts";
export type { Collected } from "./database/write/collected-files.ts";
export type { Confirmation } from "./database/write/confirmations.ts";
export type { MessagePlace, PricedMessage } from "./database/write/ledger/priced-messages.ts";
export type { MessageStore, MessageStoreOptions } from "./database/write/message-store.ts";
export type { Coding, FileNote, FileProof } from "./database/write/note-files.ts";
export type { PeerFault, ShardNames } from "./database/write/note-shards.ts";
export type { Refusal } from "./database/write/refusals.ts";
export type { HeldFile } from "./database/write/register-file.ts";
export type { SignatureDecision } from "./database/write/undecided-signatures.ts";
export { ReedSolomon } from "./erasure/reed-solomon.ts";
export { type ErasureCode, shardBytes } from "./erasure/shard-layout.ts";
export { cutShards, joinShards, type ReadShard, remakeShards } from "./erasure/shard-streams.ts";
