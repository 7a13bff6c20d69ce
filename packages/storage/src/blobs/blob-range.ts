import { BlobError } from "./errors.ts";

/** A slice of content: from `offsetBytes` on, `lengthBytes` of it, or all that is left. */
export interface ByteRange {
  readonly offsetBytes?: number;
  readonly lengthBytes?: number;
}

/** Start (inclusive) and end (exclusive) of a range inside `sizeBytes` of content. */
export interface ResolvedRange {
  readonly startBytes: number;
  readonly endBytes: number;
}

/**
 * A range held against the size of the content; the end is cut to that size, as HTTP does.
 * @throws BlobError BLOB_RANGE_INVALID when it starts past the end or is not made of whole numbers.
 */
export function resolveRange(sizeBytes: number, range: ByteRange = {}): ResolvedRange {
  const startBytes = range.offsetBytes ?? 0;
  const lengthBytes = range.lengthBytes ?? Number.MAX_SAFE_INTEGER;
  const isWhole = Number.isSafeInteger(startBytes) && Number.isSafeInteger(lengthBytes);
  if (!isWhole || startBytes < 0 || lengthBytes < 0 || startBytes > sizeBytes) {
    throw new BlobError(
      "BLOB_RANGE_INVALID",
      `no bytes from ${startBytes} on in content of ${sizeBytes} bytes`,
      { ...range, sizeBytes },
    );
  }
  return { startBytes, endBytes: startBytes + Math.min(lengthBytes, sizeBytes - startBytes) };
}
