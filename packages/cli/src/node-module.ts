import type { Readable, Writable } from "node:stream";
import type { ImportReport } from "@twentysix/node";
import type { NodeConfig } from "@twentysix/node/config";

/** A node that runs and answers. */
export interface RunningNode {
  /** Where the HTTP API is: `http://127.0.0.1:4024`. */
  readonly apiUrl: string;
  /** Where other nodes reach it; empty where it keeps to itself. */
  readonly peerAddresses: readonly string[];
  readonly network: string;
  /** The address that the node signs with. */
  readonly address: string;
  readonly version: string;
  readonly compute: { readonly apiUrl: string } | null;
  readonly scheduler: { readonly apiUrl: string } | null;
  /** Rejects when a part fails that the node cannot live without. */
  readonly failed: Promise<never>;
  /** Finishes what is acknowledged, then lets go of everything. */
  close(): Promise<void>;
}

export interface VerifyReport {
  readonly ok: boolean;
  /** The state root computed anew from the stored messages, and how many they are. */
  readonly root: string;
  readonly count: number;
  /** What differs, one line each; empty when `ok`. */
  readonly problems: readonly string[];
}

export interface ExportOptions {
  readonly destination: Writable;
  /** Item hash of the last message that the destination already has; the export goes on after it. */
  readonly after?: string;
  /** The files that messages name travel along. */
  readonly withFiles: boolean;
  readonly signal: AbortSignal;
}

export interface ExportReport {
  readonly messages: number;
  /** To go on from later; null when nothing was exported. */
  readonly lastItemHash: string | null;
  readonly forgotten: number;
  readonly files: number;
}

export interface ImportOptions {
  readonly source: Readable;
  /** Lines to pass over at the start: those of an earlier, interrupted import. */
  readonly skipLines: number;
  /** Believe what the file says of forgotten messages beyond what is signed. */
  readonly trustForgotten: boolean;
  readonly signal: AbortSignal;
}

export interface StartOptions {
  readonly signal?: AbortSignal;
  /** What starts the host helper of a compute node. */
  readonly ownCommand?: { readonly file: string; readonly args: readonly string[] };
  /** Says where the cache of this user is. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What the commands use of the package that holds the node; loaded only by a command that needs it. */
export interface NodeModule {
  startNode(config: NodeConfig, options?: StartOptions): Promise<RunningNode>;
  startCloudNode(config: NodeConfig, options?: StartOptions): Promise<RunningNode>;
  startReplicaNode(config: NodeConfig): Promise<RunningNode>;
  verifyDataDir(config: NodeConfig, options: { readonly signal: AbortSignal }): Promise<VerifyReport>;
  exportMessages(config: NodeConfig, options: ExportOptions): Promise<ExportReport>;
  importMessages(config: NodeConfig, options: ImportOptions): Promise<ImportReport>;
}
