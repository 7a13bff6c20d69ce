import type { Clock, Logger, Timers } from "@twentysix/platform";
import type { Chain, ItemType, JsonValue } from "@twentysix/protocol";
import type {
  DagScope,
  FileType,
  ListReads,
  LiveMessage,
  MessageFacts,
  MessageFilter,
  Origin,
  PointReads,
  Status,
} from "@twentysix/storage";
import type { Registry } from "prom-client";
import type { ChainReport } from "../chain/chain-report.ts";
import type { LedgerAnswers } from "../ledger/ledger-answers.ts";
import type { FileCustody } from "../peers/custody/custody.ts";
import type { ShownCheckpoints } from "../sync/checkpoints.ts";
import type { SyncStatus } from "../sync/sync-progress.ts";
import type { EconomyServices } from "./economy/economy-services.ts";

/** What the API needs of the node. Functions rather than subsystems, so that each part can be brought alone. */
export interface ApiServices {
  readonly submit: Submit;
  readonly reads: PointReads;
  readonly lists: ListReads;
  readonly ledger: LedgerAnswers;
  readonly live: LiveFeed;
  readonly uploads: UploadServices;
  readonly downloads: DownloadServices;
  readonly gateway: GatewayServices;
  readonly economy: EconomyServices;
  /** Who keeps a file; null for one that no message stores. */
  custodyOf(fileHash: string): Promise<FileCustody | null>;
  /** How the node stands with the chains of its network. */
  chains(): Promise<ChainReport>;
  readonly node: NodeDescription;
  /** Values for `/metrics`, as they stood after the last commit; never more than a few look-ups by key. */
  status(): Promise<NodeStatus>;
  health(): NodeHealth;
  stateRoot(): Promise<StateRoot>;
  /** What this node and its peers signed of their states. */
  checkpoints(): Promise<ShownCheckpoints>;
  /** Where the API registers its own metrics; the node's others are served with them. */
  readonly registry: Registry;
  readonly log: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
}

// ---------------------------------------------------------------- submission

/**
 * Takes the exact text of one envelope. Resolves only once the message is durably queued (or refused, or known);
 * with `sync`, once its outcome is final, `timeoutMs` has passed or the signal has aborted: then it resolves with
 * the status reached so far. Abort ends the wait alone; the message goes on.
 */
export type Submit = (envelopeText: string, options: SubmitOptions) => Promise<SubmissionOutcome>;

export interface SubmitOptions {
  readonly origin: Origin;
  readonly sync: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface SubmissionOutcome {
  /** null when the envelope is so malformed that it names none. */
  readonly itemHash: string | null;
  readonly status: Status;
  /** True when the envelope was refused before it was queued or published: bad syntax, hash or signature. */
  readonly refused: boolean;
  /** Code of the message error table, for rejected messages. */
  readonly errorCode?: number;
  /** One sentence for people, for rejected messages. */
  readonly reason?: string;
  /** As in the `details` of a rejected message. */
  readonly details?: JsonValue;
  readonly publication: PublicationStatus;
  /** True when the node had a verdict on this hash before. */
  readonly known: boolean;
}

export interface PublicationStatus {
  readonly status: "success" | "warning" | "error";
  readonly failed: readonly string[];
  /** Peers that took the message at once; each passes it on. */
  readonly recipients: number;
}

// ---------------------------------------------------------------- live feed

export interface LiveFeed {
  /**
   * Every message that became processed, after the commit that made it readable. Resolves with the end of it, once
   * no later message can be missed.
   */
  subscribe(listener: (message: LiveMessage) => void): Promise<() => void>;
  /** The newest event: messages up to it can be read, later ones are still to be told. */
  lastSeq(): Promise<number>;
  /** The predicate of the lists, so that a live frame and a list agree. */
  matches(filter: MessageFilter, facts: MessageFacts): boolean;
  /** Called after each commit that changed the status of one item. */
  onItem(itemHash: string, listener: () => void): () => void;
  /** Called after each commit, whatever it changed. */
  onCommit(listener: () => void): () => void;
}

// ---------------------------------------------------------------- uploads

export type UploadEngine = "storage" | "ipfs";

export interface UploadServices {
  /** False: the IPFS routes answer 403. */
  readonly ipfsEnabled: boolean;
  /** Syntax, signature and STORE content of the message that comes with an upload; nothing is kept. */
  inspectStore(messageText: string): Promise<StoreInspection>;
  /** Can the owner pay for a file of this size? Called before anything is kept. */
  checkFunds(store: StoreClaim, sizeBytes: number): Promise<FundsVerdict>;
  /**
   * Receives a file into a temporary place, hashing on the way, never whole in memory. Nothing is kept until
   * `keep` is called. A source that throws, or an abort, leaves nothing; the error is thrown on.
   */
  stageFile(source: AsyncIterable<Uint8Array>, options: StageOptions): Promise<StagedFile>;
  /** The same for a CAR file, of which nothing is looked at yet. */
  stageCar(source: AsyncIterable<Uint8Array>, options: { readonly signal: AbortSignal }): Promise<StagedCar>;
  /**
   * Holds room for a file that comes without a message until it is registered.
   * @throws ApiError API_GRACE_PERIOD_FULL
   */
  reserveGrace(file: Pick<StagedFile, "hash" | "sizeBytes">): Promise<Disposable>;
  /**
   * Records a kept file and pins it until `graceUntilMicros`, durably. The pin ends earlier when a STORE message
   * of that file is processed.
   */
  registerFile(file: KeptFile & { readonly graceUntilMicros: bigint }): Promise<void>;
}

export interface StageOptions {
  readonly engine: UploadEngine;
  readonly signal: AbortSignal;
  /** The name that the file should turn out to have, where it can have several. */
  readonly expectedHash?: string;
}

export interface StagedFile extends AsyncDisposable {
  readonly sizeBytes: number;
  /** The name of the file in its engine: SHA-256 in hex, or CIDv0. */
  readonly hash: string;
  /** Makes the bytes durable under their names. */
  keep(): Promise<KeptFile>;
}

export interface KeptFile {
  readonly hash: string;
  readonly sizeBytes: number;
  readonly type: FileType;
  /** Lower-case hex; null for directories. */
  readonly sha256: string | null;
  readonly cid: string | null;
}

export interface StagedCar extends AsyncDisposable {
  /** Bytes of the CAR itself, which is what is charged. */
  readonly sizeBytes: number;
  /**
   * The only root, in canonical text form.
   * @throws CarRefusal `header`: not CARv1 with one root.
   */
  root(): Promise<string>;
  /**
   * Imports the blocks, each verified, and checks that the DAG is complete. The hash of the result is the root
   * that was really imported and its size is cumulative.
   * @throws CarRefusal `blocks`: then nothing is left.
   */
  keep(signal: AbortSignal): Promise<KeptFile>;
}

/** A CAR that cannot be read or imported. `header`: before its blocks were looked at. */
export class CarRefusal extends Error {
  readonly stage: "header" | "blocks";

  constructor(stage: "header" | "blocks", message: string) {
    super(message);
    this.name = "CarRefusal";
    this.stage = stage;
  }
}

export interface StoreClaim {
  readonly itemHash: string;
  /** What the content names. */
  readonly fileHash: string;
  readonly fileItemType: Exclude<ItemType, "inline">;
  readonly owner: string;
  /** null: not said. */
  readonly paymentType: string | null;
  readonly sender: string;
  readonly chain: Chain;
  /** Of the envelope. */
  readonly timeMicros: bigint;
  readonly contentText: string;
}

export type StoreInspection =
  | { readonly ok: true; readonly store: StoreClaim }
  | {
      readonly ok: false;
      readonly refusal: "malformed" | "signature";
      readonly reason: string;
      readonly details?: JsonValue;
    };

export type FundsVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly unit: string;
      readonly required: string;
      readonly available: string;
    };

// ---------------------------------------------------------------- gateway

/** What this node holds, by CID and path. */
export interface GatewayServices {
  /** null: it is not here. @throws ApiError API_FILES_UNAVAILABLE, API_FILES_TIMEOUT */
  find(root: string, path: string, signal: AbortSignal): Promise<GatewayContent | null>;
}

/** What stands at a path. */
export interface GatewayContent {
  readonly cid: string;
  readonly kind: "file" | "directory" | "other";
  /** Bytes of a file; 0 for anything else. */
  readonly sizeBytes: number;
  /** Its first block. */
  readonly block: Uint8Array;
  /** A CARv1 with the blocks on the way to it, and as much of it as is wanted. */
  car(scope: DagScope): AsyncIterable<Uint8Array>;
  /** Bytes of a file, `end` not included. */
  read(range: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>;
}

// ---------------------------------------------------------------- downloads

export interface DownloadServices {
  /** Whether the bytes are here; a file may be recorded and have lost them. */
  isHeld(fileHash: string, options: { readonly signal: AbortSignal }): Promise<boolean>;
  /** Whether whoever asks is given it: its bytes are here, or others keep them, from whom they are got. */
  isServed(fileHash: string, options: { readonly signal: AbortSignal }): Promise<boolean>;
  /** Bytes of a file, verified as they are read when they came from elsewhere; null when they cannot be had. */
  openFile(fileHash: string, options: OpenOptions): Promise<AsyncIterable<Uint8Array> | null>;
  /** A directory as a tar archive; null when it cannot be had. */
  openTar(
    fileHash: string,
    options: { readonly signal: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array> | null>;
}

export interface OpenOptions {
  readonly signal: AbortSignal;
  /** First byte and the byte after the last. */
  readonly range?: { readonly start: number; readonly end: number };
}

// ---------------------------------------------------------------- node

/** What does not change while the node runs, or is known without asking the database. */
export interface NodeDescription {
  readonly version: string;
  readonly network: string;
  /** Address of the node operator or identity. */
  readonly address: string;
  readonly messageTopic: string;
  multiAddresses(): readonly string[];
  /** How far it is with what its peers have; left out where another process knows. */
  sync?(): SyncStatus;
}

/** Live figures; null where the node has no such thing (yet). */
export interface NodeStatus {
  readonly peers: number;
  readonly messages: number;
  readonly filePins: number;
  readonly pendingMessages: number;
  readonly pendingTransactions: number;
  readonly pendingByType: Readonly<Record<"aggregate" | "forget" | "post" | "program" | "store", number>>;
  readonly ethLastCommittedHeight: number | null;
  readonly ethReferenceHeight: number | null;
  readonly referenceMessages: number | null;
  readonly storeFetch: Readonly<Record<UploadEngine, StoreFetchFigures>>;
}

export interface StoreFetchFigures {
  readonly total: number;
  readonly failed: number;
  readonly durationMs: number;
}

export interface NodeHealth {
  /** Ready to take new work; what is held may be read all the same. */
  readonly ready: boolean;
  /** Each part that was looked at, by name. */
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly message: string }>>;
}

export interface StateRoot {
  /** Lower-case hex. */
  readonly root: string;
  readonly count: number;
  readonly algorithm: string;
}
