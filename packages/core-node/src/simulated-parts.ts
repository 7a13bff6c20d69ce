/*
 * Door for the simulator: the parts of a node without its API and its threads, so that they run on a time, a disk and a
 * network that are not this machine's. What a node loads when it first needs it is loaded here at once: loading takes
 * real time.
 */
import "./ledger/ledger-calls.ts";
import "./sync/start-sync.ts";
import "./sync/tree-calls.ts";

export { verifyData } from "./archive/verify-data.ts";
export type { WorkingFile, WorkingFiles } from "./content/working-files.ts";
export { type NodeParts, type NodePartsOptions, startNodeParts } from "./node-parts.ts";
export { CONTENT_PROTOCOL } from "./peers/content-protocol.ts";
export type { OpenNetwork } from "./peers/peers.ts";
export { runVerifier } from "./pipeline/run-verifier.ts";
export { runWriter } from "./pipeline/run-writer.ts";
export { runReader } from "./reader/run-reader.ts";
export type { NodeDisk, Surroundings } from "./surroundings.ts";
export { SYNC_PROTOCOL } from "./sync/sync-protocol.ts";
export type { ThreadPlace } from "./threads/thread-place.ts";
export type { Thread, ThreadPort, Threads } from "./threads/threads.ts";
