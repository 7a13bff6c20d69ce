import type { BlobStat, PutOptions } from "./blob-store.ts";
import { BlobError } from "./errors.ts";

/** @throws BlobError BLOB_SIZE_EXCEEDED */
export function assertMaxSize(sizeBytes: number, { maxSizeBytes }: PutOptions): void {
  if (maxSizeBytes === undefined || sizeBytes <= maxSizeBytes) return;
  throw new BlobError("BLOB_SIZE_EXCEEDED", `the content is larger than the ${maxSizeBytes} bytes allowed`, {
    maxSizeBytes,
    sizeBytes,
  });
}

/** @throws BlobError BLOB_SIZE_MISMATCH, BLOB_HASH_MISMATCH */
export function assertExpected(written: BlobStat, { expectedHash, declaredSizeBytes }: PutOptions): void {
  if (declaredSizeBytes !== undefined && written.sizeBytes !== declaredSizeBytes) {
    throw new BlobError("BLOB_SIZE_MISMATCH", "the content has not the size that was announced", {
      declaredSizeBytes,
      sizeBytes: written.sizeBytes,
    });
  }
  if (expectedHash === undefined || written.sha256 === expectedHash) return;
  throw new BlobError(
    "BLOB_HASH_MISMATCH",
    "the content has not the hash that was asked for: its sender is at fault, ask another",
    { expectedHash, sha256: written.sha256, sizeBytes: written.sizeBytes },
  );
}

/** A disk that ran full is the same refusal as one that is about to; other errors pass unchanged. */
export function diskFullError(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new BlobError("BLOB_FREE_SPACE_LOW", "the disk is full: free some space", { code }, error);
}
