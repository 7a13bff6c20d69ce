import { BlobError } from "./errors.ts";

/** What a DAG from outside may ask of this node's memory and time. */
export interface DagLimits {
  readonly maxBlocks: number;
  readonly maxLinks: number;
  /** Longest way from the root. */
  readonly maxDepth: number;
  /** Bytes that the DAG may claim, repeated blocks counted each time. */
  readonly maxCumulativeBytes: number;
}

/** Largest block taken in, as Bitswap has it. */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024;

export const DEFAULT_DAG_LIMITS: DagLimits = {
  maxBlocks: 1_000_000,
  maxLinks: 4_000_000,
  maxDepth: 512,
  maxCumulativeBytes: Number.MAX_SAFE_INTEGER,
};

/** @throws BlobError BLOCK_TOO_LARGE */
export function assertBlockSize(sizeBytes: number, roomBytes = 0): void {
  if (sizeBytes <= MAX_BLOCK_BYTES + roomBytes) return;
  throw new BlobError("BLOCK_TOO_LARGE", `a block may have ${MAX_BLOCK_BYTES} bytes: cut the file smaller`, {
    maxBlockBytes: MAX_BLOCK_BYTES,
    sizeBytes,
  });
}
