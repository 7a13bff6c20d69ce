import type { BlobStore } from "./blob-store.ts";
import type { DiskBudget } from "./disk-budget.ts";
import type { FileSystem } from "./file-system.ts";

/** What an engine is given to work with on this machine. */
export interface EnginePlace {
  /** Absolute path of the folder of the content store; it exists. */
  readonly folder: string;
  readonly fileSystem: FileSystem;
  /** Room on the disk of this machine. */
  readonly budget: DiskBudget;
  /** Another process may be at work in the folder: change nothing there. */
  readonly readOnly?: boolean;
  readonly signal?: AbortSignal;
}

/** Where the bytes of a content store stand. */
export interface BlobStores extends AsyncDisposable {
  readonly files: BlobStore;
  readonly packs: BlobStore;
  /** The server that holds the bytes; null when the disk of this machine does. */
  readonly server: BlobServer | null;
  /** Offers DAGs under their own roots, where the server can do that. */
  readonly dags?: DagPublisher;
}

/** A way to keep bytes: files on disk, an S3 bucket, a Kubo daemon. */
export interface BlobEngine {
  /** Does not wait for a server that is away. */
  open(place: EnginePlace): Promise<BlobStores>;
}

export interface BlobServerState {
  readonly isUsable: boolean;
  /** One sentence for people: where it is and how it is. */
  readonly message: string;
}

/** What is known of a server that keeps blobs, from the last call to it. */
export interface BlobServer {
  readonly state: BlobServerState;
  /** @throws BlobError BLOB_SERVER_AWAY, BLOB_SERVER_TIMEOUT, BLOB_SERVER_REFUSED as the last call */
  assertUsable(): void;
  /** Calls back each time that the server can be used again. Returns the end of it. */
  onBack(listener: () => void): () => void;
  /**
   * Runs a task now, or as soon as the server can be used, and again when it comes back until the task has not
   * failed by the server. Other failures are logged and end it.
   */
  whenUsable(name: string, task: (signal: AbortSignal) => Promise<void>): void;
  /** Calls back with the SHA-256 of each blob that the server gave back changed. Returns the end of it. */
  onDamage(listener: (sha256: string) => void): () => void;
}

/** Makes DAGs that came as blocks known to a server under their roots. */
export interface DagPublisher {
  /** Durable once it resolves. `car` gives the DAG as a CARv1 stream, anew at each call. */
  publish(root: string, car: () => AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>;
  /** Nothing happens when it was not published. */
  unpublish(root: string): Promise<void>;
  /** Roots that are published, or may be. */
  published(): readonly string[];
}
