import type { ByteRange } from "./blob-range.ts";
import type { ByteSource } from "./byte-source.ts";
import type { DiskUsage } from "./disk-budget.ts";
import type { FileDagName } from "./file-import.ts";

export interface PutOptions {
  /** SHA-256 (64 lower-case hexadecimal digits) that the bytes must have. */
  readonly expectedHash?: string;
  /** More bytes than this end the write. */
  readonly maxSizeBytes?: number;
  /** Size announced beforehand: refused at once if it cannot fit, and held against what came. */
  readonly declaredSizeBytes?: number;
  /**
   * Told the name right before the blob takes its place. A deletion asks `isClaimed` after this or has ended
   * before it, so a claim made here cannot be missed.
   */
  readonly claim?: (sha256: string) => void;
  /** How an engine that keeps files as DAGs cuts this one; `fixedCid` unless said. Others do not care. */
  readonly layout?: FileDagName;
  readonly signal?: AbortSignal;
}

export interface BlobStat {
  /** SHA-256 of the content in lower-case hexadecimal: the name of the blob. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface PutResult extends BlobStat {
  /** False when the blob stood there already. */
  readonly isNew: boolean;
}

export interface GetOptions {
  readonly range?: ByteRange;
  readonly signal?: AbortSignal;
}

export interface DeleteOptions {
  /** Asked at the last moment; true keeps the blob. */
  readonly isClaimed?: (sha256: string) => boolean;
  readonly signal?: AbortSignal;
}

export interface ListOptions {
  /** Only names that sort after this one: where an earlier listing stopped. */
  readonly after?: string;
  readonly signal?: AbortSignal;
}

/** One blob held open: a deletion meanwhile does not disturb it. */
export interface BlobReader extends BlobStat, AsyncDisposable {
  read(options?: GetOptions): AsyncGenerator<Uint8Array, void, undefined>;
  /** Exactly `lengthBytes` bytes; BLOB_CORRUPT when the content ends before. */
  readAt(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
}

/**
 * Content-addressed files: bytes under the SHA-256 that they have, in lower-case hexadecimal.
 *
 * A put that resolves is durable; one that rejects leaves nothing. Every call takes an AbortSignal and rejects
 * with its reason. Names that are not 64 lower-case hexadecimal digits are refused with BLOB_NAME_INVALID. Where a
 * server keeps the bytes, every call may be refused with BLOB_SERVER_AWAY, BLOB_SERVER_TIMEOUT or
 * BLOB_SERVER_REFUSED, and bytes that it gives back changed with BLOB_CORRUPT.
 */
export interface BlobStore extends AsyncDisposable {
  /**
   * @throws BlobError BLOB_SIZE_EXCEEDED, BLOB_SIZE_MISMATCH, BLOB_HASH_MISMATCH, BLOB_DISK_BUDGET_EXCEEDED,
   * BLOB_FREE_SPACE_LOW, BLOB_STORE_CLOSED; whatever the source throws.
   */
  put(source: ByteSource, options?: PutOptions): Promise<PutResult>;
  open(sha256: string, signal?: AbortSignal): Promise<BlobReader | undefined>;
  /** @throws BlobError BLOB_NOT_FOUND, BLOB_RANGE_INVALID at the first piece. */
  get(sha256: string, options?: GetOptions): AsyncGenerator<Uint8Array, void, undefined>;
  stat(sha256: string, signal?: AbortSignal): Promise<BlobStat | undefined>;
  has(sha256: string, signal?: AbortSignal): Promise<boolean>;
  /** Removes the blob durably; false when there was none, or when it is claimed. */
  delete(sha256: string, options?: DeleteOptions): Promise<boolean>;
  /** All blobs in the order of their names. */
  list(options?: ListOptions): AsyncGenerator<BlobStat, void, undefined>;
  readonly usage: DiskUsage;
}
