import type { Clock, Logger, Timers } from "@twentysix/platform";
import type { Chain, NetworkDefinition, NetworkLimits, ProtocolSwitches } from "@twentysix/protocol";
import type { Skeleton, StateRules } from "@twentysix/state";
import type { Origin } from "@twentysix/storage";
import type { Threads } from "../threads/threads.ts";
import type { ToldCopy } from "./verifier-protocol.ts";
import type { ReadBlob } from "./writer/blob-contents.ts";
import type { CopyConfirmation, ItemChange } from "./writer/jobs.ts";
import type { LedgerAudit } from "./writer/ledger-auditor.ts";

export interface PipelineOptions {
  readonly databasePath: string;
  /** Where the writer reads contents from: the folder of the files by SHA-256, or a way to ask for them. */
  readonly blobs: { readonly folder: string } | { readonly read: ReadBlob };
  readonly writerCacheBytes: number;
  readonly switches: ProtocolSwitches;
  readonly limits: NetworkLimits;
  /** Chains whose contracts may send messages; none by default. */
  readonly contractChains?: readonly Chain[];
  readonly rules: StateRules;
  /** Prices and settings that are in force until others are published. */
  readonly priceDefaults: Pick<NetworkDefinition, "pricing" | "settings">;
  /** Give up files whose time of grace is over, for `onCollected` to remove their bytes; false by default. */
  readonly collectsFiles?: boolean;
  /** Those of the machine by default. */
  readonly threads?: Threads;
  /** See `WriterData`; true by default. */
  readonly checkpointsApart?: boolean;
  /** False on a node that has to get what its peers have: see `Pipeline.knowsAll`; true by default. */
  readonly isComplete?: boolean;
  readonly verifierCount: number;
  /** A verifier thread without work for this long ends, until there is work again; null (the default): it stays. */
  readonly verifierQuietMs?: number | null;
  /** Copies that may be on their way at once; more are refused. */
  readonly maxInFlight: number;
  /** Gives the start up, which may take long where another process writes to the database. */
  readonly signal?: AbortSignal;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly logPretty: boolean;
}

export interface PipelineStatistics {
  readonly inFlight: number;
  /** When the copy came in that has waited longest for its outcome; null when none waits. */
  readonly oldestReceptionMicros: bigint | null;
  readonly writerQueue: number;
  /** Batches that are durable since the start. */
  readonly commitsTotal: number;
  readonly processedTotal: number;
  readonly defectsTotal: number;
  /** null: nothing was looked at so far. */
  readonly ledgerAudit: LedgerAudit | null;
}

/** A commit, told once it is durable. */
export interface CommitNotice {
  readonly changes: readonly ItemChange[];
  /** Messages that became live in it. */
  readonly processed: number;
}

export interface SubmitOptions {
  readonly origin: Origin;
  /** The copy comes out of a smart-contract event, whose transaction vouches for it. */
  readonly trusted?: boolean;
  /** Told, long before the commit, whether hash, schema and signature are right; not told of what could not be looked at. */
  readonly onVerified?: (told: ToldCopy) => void;
  /** One of many of which nobody waits for one: larger batches write each page less often; by default an import. */
  readonly isBulk?: boolean;
  /** Beside a FORGET: what a source that is trusted has kept of messages that it hides. */
  readonly skeletons?: readonly Skeleton[];
  /** The chain transaction that carried the copy: recorded with it, whatever stands of the message. */
  readonly confirmation?: Omit<CopyConfirmation, "vouches">;
}
