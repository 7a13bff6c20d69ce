/** Each code names the rule that was broken; the message says what to do. */
export type BlobErrorCode =
  | "BLOB_NAME_INVALID"
  | "BLOB_NOT_FOUND"
  | "BLOB_RANGE_INVALID"
  | "BLOB_SIZE_EXCEEDED"
  | "BLOB_SIZE_MISMATCH"
  | "BLOB_HASH_MISMATCH"
  | "BLOB_CORRUPT"
  | "BLOB_DISK_BUDGET_EXCEEDED"
  | "BLOB_FREE_SPACE_LOW"
  | "BLOB_STORE_CLOSED"
  | "BLOB_SERVER_AWAY"
  | "BLOB_SERVER_TIMEOUT"
  | "BLOB_SERVER_REFUSED"
  | "BLOCK_HASH_MISMATCH"
  | "BLOCK_TOO_LARGE"
  | "BLOCK_NOT_FOUND"
  | "CAR_TRUNCATED"
  | "CAR_VARINT_INVALID"
  | "CAR_HEADER_TOO_LARGE"
  | "CAR_HEADER_INVALID"
  | "CAR_VERSION_UNSUPPORTED"
  | "CAR_ROOT_COUNT"
  | "CAR_ROOT_MISMATCH"
  | "CAR_SECTION_INVALID"
  | "CID_INVALID"
  | "CID_UNSUPPORTED"
  | "DAG_INCOMPLETE"
  | "DAG_NODE_INVALID"
  | "DAG_TOO_MANY_BLOCKS"
  | "DAG_TOO_MANY_LINKS"
  | "DAG_TOO_DEEP"
  | "DAG_TOO_LARGE"
  | "DAG_NOT_FILE"
  | "DAG_NOT_DIRECTORY"
  | "DAG_PATH_NOT_FOUND"
  | "DIRECTORY_PATH_INVALID"
  | "ARCHIVE_NAME_UNSAFE"
  | "ARCHIVE_LIMIT_EXCEEDED";

/** Every refusal of the blob store. `details` holds the inputs of the decision, in units named by their keys. */
export class BlobError extends Error {
  readonly code: BlobErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: BlobErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "BlobError";
    this.code = code;
    this.details = details;
  }
}

const SERVER_CODES: ReadonlySet<BlobErrorCode> = new Set([
  "BLOB_SERVER_AWAY",
  "BLOB_SERVER_TIMEOUT",
  "BLOB_SERVER_REFUSED",
]);

/** The server that keeps the blobs could not be used: nothing is said about the blob. */
export function isServerFailure(error: unknown): boolean {
  return error instanceof BlobError && SERVER_CODES.has(error.code);
}
