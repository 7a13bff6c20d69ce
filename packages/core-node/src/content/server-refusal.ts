import { BlobError, type BlobServer, isServerFailure } from "@twentysix/storage";
import { ApiError } from "../api/errors.ts";

/** What a client is told when the server that keeps the files cannot be used; other errors pass unchanged. */
export function serverRefusal(error: unknown): unknown {
  if (!(error instanceof BlobError) || !isServerFailure(error)) return error;
  const code = error.code === "BLOB_SERVER_TIMEOUT" ? "API_FILES_TIMEOUT" : "API_FILES_UNAVAILABLE";
  const message = "The files of this node cannot be reached now: try again in a moment, or ask another node";
  // Where the server is concerns the operator, who finds it in the log and at /health/ready.
  return new ApiError(code, message, { reason: error.code }, { "retry-after": "5" });
}

/** @throws ApiError API_FILES_UNAVAILABLE, API_FILES_TIMEOUT before bytes are taken that could not be kept */
export function assertFilesUsable(server: Pick<BlobServer, "assertUsable"> | null): void {
  try {
    server?.assertUsable();
  } catch (error) {
    throw serverRefusal(error);
  }
}
