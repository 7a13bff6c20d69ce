import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import { decodeUtf8, type NetworkDefinition } from "@twentysix/protocol";
import { BlobError, type ContentStore, type PointReads } from "@twentysix/storage";
import type { WorkingFiles } from "../content/working-files.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { catchUpMark } from "./catch-up-mark.ts";
import { checkpointFile } from "./kept-checkpoints.ts";
import { OwnTree, type TreeReader } from "./own-tree.ts";
import type { SyncPeers } from "./sync-options.ts";
import { syncIdentity } from "./sync-protocol.ts";
import { SyncService } from "./sync-service.ts";

export interface SyncOptions {
  readonly peers: SyncPeers;
  readonly definition: NetworkDefinition;
  readonly pipeline: Pick<Pipeline, "submit" | "registerFile" | "stateRoot" | "knowsAll">;
  readonly reader: TreeReader;
  readonly reads: Pick<PointReads, "file" | "totals">;
  readonly contents: ContentStore;
  /** File of what peers signed. */
  readonly checkpointsPath: string;
  readonly files: WorkingFiles;
  /** File that is there while this node lacks much. */
  readonly catchUpMarkPath: string;
  /** File that says when this node was ready last. */
  readonly lastReadyPath: string;
  /** False once the node takes nothing more. */
  readonly hasRoom: () => boolean;
  readonly hasBootstrap: boolean;
  /** How long a content is kept whose message is not accepted. */
  readonly gracePeriodMs: number;
  readonly periodMs?: number;
  readonly aloneAfterMs?: number;
  readonly onFault: (peerId: string, reason: string) => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** Keeps a node's messages equal to those of its peers, through the doors that all messages come in by. */
export function startSync(options: SyncOptions): SyncService {
  const {
    pipeline,
    reader,
    reads,
    contents,
    definition,
    gracePeriodMs,
    checkpointsPath,
    files,
    catchUpMarkPath,
    lastReadyPath,
    ...rest
  } = options;
  const { clock, log } = rest;
  return new SyncService({
    ...rest,
    identity: syncIdentity(definition),
    intake: {
      submit: (text, { skeletons, isBulk }) =>
        pipeline.submit(text, { origin: "p2p", isBulk, ...(skeletons.length === 0 ? {} : { skeletons }) }),
      contents,
      isRegistered: async (fileHash) => (await reads.file(fileHash)) !== null,
      registerFile: (file) => pipeline.registerFile(file, clock.nowMicros() + BigInt(gracePeriodMs) * 1_000n),
      tree: new OwnTree(reader),
      definition,
    },
    readContent: (itemHash, maxBytes, signal) => readContent(contents, itemHash, maxBytes, signal),
    catchUpMark: catchUpMark(catchUpMarkPath),
    lastReady: { path: lastReadyPath, files },
    sumUp: () => pipeline.stateRoot(),
    onComplete: (isComplete) => pipeline.knowsAll(isComplete),
    checkpoints: checkpointFile(files, checkpointsPath, (error) =>
      log.warn("The checkpoints of peers cannot be read", { error }),
    ),
    heldMessages: async () => (await reads.totals()).liveMessages,
  });
}

/** A content as a text; null when it is longer than that, or cannot be had: whoever asked gets the message without it. */
async function readContent(
  contents: ContentStore,
  itemHash: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const stat = await contents.stat(itemHash, signal);
    if (stat === undefined || stat.cumulativeSizeBytes > maxBytes) return null;
    const pieces: Uint8Array[] = [];
    for await (const piece of contents.read(itemHash, { signal })) pieces.push(piece);
    return decodeUtf8(Buffer.concat(pieces));
  } catch (error) {
    if (error instanceof BlobError) return null;
    throw error;
  }
}
