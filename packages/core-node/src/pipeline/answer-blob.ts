import type { Logger, Timers } from "@twentysix/platform";
import type { ReadBlob } from "./writer/blob-contents.ts";
import type { WriterRequest, WriterResponse } from "./writer-protocol.ts";

export interface BlobAnswerParts {
  readonly blobs: { readonly folder: string } | { readonly read: ReadBlob };
  readonly timers: Timers;
  readonly log: Logger;
}

/** Longest wait for a content that is not on this machine, beside the time of its bytes at a slow pace. */
const TIMEOUT_MS = 2_000;
const SLOW_BYTES_PER_MS = 4_096;

/**
 * Reads a content for the writer, which waits for it, and with it every message: what does not come soon is null
 * and tried again later. Does not reject.
 */
export async function answerBlob(
  { requestId, sha256, sizeBytes }: Extract<WriterResponse, { kind: "readBlob" }>,
  { blobs, timers, log }: BlobAnswerParts,
): Promise<Extract<WriterRequest, { kind: "blob" }>> {
  const timeoutMs = TIMEOUT_MS + Math.ceil(sizeBytes / SLOW_BYTES_PER_MS);
  const read = "read" in blobs ? blobs.read : async () => null;
  try {
    const bytes = await timers.withTimeout(timeoutMs, (signal) => read(sha256, sizeBytes, signal));
    return { kind: "blob", requestId, bytes };
  } catch (error) {
    log.warn("A content cannot be read now; its message waits", { sha256, error });
    return { kind: "blob", requestId, bytes: null };
  }
}
