import { BlobError, type BlobServer, isServerFailure } from "@twentysix/storage";
import { ApiError } from "../api/errors.ts";

/** How the answer begins, in the words that clients look for. */
export interface RefusalWords {
  /** The server gave no answer in time. */
  readonly timeout?: string;
  /** It could not be reached, or would not. */
  readonly failure?: string;
}

/**
 * Of uploads under a name of IPFS. Source: pyaleph `src/aleph/web/controllers/ipfs.py`, where both are told of the
 * daemon of the node.
 */
export const IPFS_WORDS: RefusalWords = { timeout: "504: Timed out waiting for IPFS stat" };
export const CAR_WORDS: RefusalWords = { ...IPFS_WORDS, failure: "502: Failed to import CAR into IPFS" };

/** What a client is told when the server that keeps the files cannot be used; other errors pass unchanged. */
export function serverRefusal(error: unknown, { timeout, failure }: RefusalWords = {}): unknown {
  if (!(error instanceof BlobError) || !isServerFailure(error)) return error;
  const isTimeout = error.code === "BLOB_SERVER_TIMEOUT";
  const words = isTimeout ? timeout : failure;
  const message = "The files of this node cannot be reached now: try again in a moment, or ask another node";
  // Where the server is concerns the operator, who finds it in the log and at /health/ready.
  return new ApiError(
    isTimeout ? "API_FILES_TIMEOUT" : "API_FILES_UNAVAILABLE",
    words === undefined ? message : `${words}. ${message}`,
    { reason: error.code },
    { "retry-after": "5" },
  );
}

/** @throws ApiError API_FILES_UNAVAILABLE, API_FILES_TIMEOUT before bytes are taken that could not be kept */
export function assertFilesUsable(
  server: Pick<BlobServer, "assertUsable"> | null,
  words?: RefusalWords,
): void {
  try {
    server?.assertUsable();
  } catch (error) {
    throw serverRefusal(error, words);
  }
}
