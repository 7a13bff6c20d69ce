import type { LogLevel } from "@twentysix/platform";
import type { NetworkDefinition, NetworkLimits, ProtocolSwitches } from "@twentysix/protocol";
import type { StateRules } from "@twentysix/state";
import type { Collected, StateRoot } from "@twentysix/storage";
import type { ThreadPort } from "../threads/threads.ts";
import type { PackedReport } from "./packed-report.ts";
import type { RecalculationReport } from "./recalculation-report.ts";
import type { CopyJob, SideJob } from "./writer/jobs.ts";
import type { LedgerAudit } from "./writer/ledger-auditor.ts";

/** What the writer thread is started with. */
export interface WriterData {
  readonly databasePath: string;
  /** Folder of the files by SHA-256; null to ask the main thread for their bytes. */
  readonly blobsFolder: string | null;
  readonly cacheBytes: number;
  readonly switches: ProtocolSwitches;
  readonly limits: NetworkLimits;
  readonly rules: StateRules;
  /** Prices and settings that are in force until others are published. */
  readonly priceDefaults: Pick<NetworkDefinition, "pricing" | "settings">;
  /** Give up files whose time of grace is over. Only where somebody removes their bytes. */
  readonly collectsFiles: boolean;
  /** This node has what its peers have, as far as it is known: see the request of that name. */
  readonly isComplete: boolean;
  /** Move the log into the database on a thread of its own; else it grows until the end. */
  readonly checkpointsApart: boolean;
  readonly logLevel: LogLevel;
  readonly logPretty: boolean;
  /** Copies arrive here from the verifiers. */
  readonly verified: readonly ThreadPort<never, readonly CopyJob[]>[];
}

export type WriterRequest =
  | { readonly kind: "side"; readonly job: SideJob }
  | { readonly kind: "stateRoot"; readonly requestId: number }
  /** Whether this node has what its peers have has changed. */
  | { readonly kind: "complete"; readonly isComplete: boolean }
  /** Compute costs anew: of one message, or (null) of all. */
  | {
      readonly kind: "recalculate";
      readonly requestId: number;
      readonly itemHash: string | null;
      readonly dryRun: boolean;
    }
  /** The answer to `readBlob`; null when the bytes cannot be had now. */
  | { readonly kind: "blob"; readonly requestId: number; readonly bytes: Uint8Array | null }
  | { readonly kind: "close" };

export type WriterResponse =
  | { readonly kind: "ready" }
  | { readonly kind: "report"; readonly report: PackedReport; readonly queued: number }
  | { readonly kind: "stateRoot"; readonly requestId: number; readonly root: StateRoot }
  | {
      readonly kind: "recalculation";
      readonly requestId: number;
      readonly report: RecalculationReport;
      readonly isDone: boolean;
    }
  | {
      readonly kind: "readBlob";
      readonly requestId: number;
      readonly sha256: string;
      readonly sizeBytes: number;
    }
  /** A copy that makes the rules throw: set aside as an internal error and counted. */
  | { readonly kind: "defect"; readonly itemHash: string | null }
  /** Files were put into the journal of deletions. */
  | { readonly kind: "collected"; readonly collected: Collected }
  | { readonly kind: "audited"; readonly audit: LedgerAudit }
  | { readonly kind: "closed" };
