import type { PeerSignatures, PeerStreams } from "@twentysix/network/reconcile";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { StateRoot } from "@twentysix/storage";
import type { IntakeServices } from "./body-intake.ts";
import type { CheckpointFile } from "./kept-checkpoints.ts";
import type { ReconciliationReport } from "./reconciliation.ts";
import type { ReunionOptions } from "./reunion.ts";
import type { CatchUpMark } from "./sync-progress.ts";
import type { SyncIdentity } from "./sync-protocol.ts";

/** The peers, as a network host has them. */
export interface SyncPeers {
  readonly streams: PeerStreams;
  readonly signatures: PeerSignatures;
  /** Names of those that this node looks for. */
  sought(): readonly string[];
  onPeers(listener: (peerId: string, isConnected: boolean) => void): () => void;
}

export interface SyncServiceOptions {
  readonly peers: SyncPeers;
  readonly identity: SyncIdentity;
  readonly intake: Omit<IntakeServices, "timers">;
  readonly readContent: (itemHash: string, maxBytes: number, signal: AbortSignal) => Promise<string | null>;
  /** Brings the trees up to what is committed. */
  readonly sumUp: () => Promise<StateRoot>;
  /** Where the checkpoints of peers are kept. */
  readonly checkpoints: CheckpointFile;
  readonly catchUpMark: CatchUpMark;
  /** Where it stands when this node was ready last. */
  readonly lastReady: Pick<ReunionOptions, "path" | "files">;
  readonly heldMessages: () => Promise<number>;
  readonly hasRoom: () => boolean;
  /** The network has nodes to be found by. */
  readonly hasBootstrap: boolean;
  /** From the end of a visit to the next one (default 10 s, drawn between half of it and one and a half). */
  readonly periodMs?: number;
  /** See `SyncProgressOptions` (default 60 s). */
  readonly aloneAfterMs?: number;
  /** Told when this node has everything that its peers have, and when it has not any more. */
  readonly onComplete: (isComplete: boolean) => void;
  /** Told of what costs a peer its standing. */
  readonly onFault: (peerId: string, reason: string) => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

export interface SyncStatistics {
  readonly visits: number;
  readonly failedVisits: number;
  readonly faults: number;
  /** Messages that visits brought. */
  readonly taken: number;
  /** Bytes that went and came in own visits, bodies left out. */
  readonly overheadBytes: number;
  readonly bodyBytes: number;
}

export interface VisitReport extends ReconciliationReport {
  /** Nothing was left out that the peer has, and it is ready itself. */
  readonly isThrough: boolean;
  /** Nothing was left out that the peer has, and it was ready before it was started, as this node may have been. */
  readonly isReunion: boolean;
  readonly overheadBytes: number;
  readonly bodyBytes: number;
}
