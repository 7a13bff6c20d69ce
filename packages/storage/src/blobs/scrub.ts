import { createHash } from "node:crypto";
import type { BlobStat, BlobStore, ListOptions } from "./blob-store.ts";
import { BlobError } from "./errors.ts";

export interface ScrubResult extends BlobStat {
  /** False when the bytes no longer have the hash of their name: fetch the blob again. */
  readonly isIntact: boolean;
}

/**
 * Hashes the blobs of a store again, in the order of their names, one each time the caller asks: the caller
 * decides the pace, and where to go on (`after`) another day. A blob deleted meanwhile is passed over.
 */
export async function* scrub(
  store: BlobStore,
  options: ListOptions = {},
): AsyncGenerator<ScrubResult, void, undefined> {
  for await (const { sha256, sizeBytes } of store.list(options)) {
    const isIntact = await isBlobIntact(store, sha256, options.signal);
    if (isIntact !== undefined) yield { sha256, sizeBytes, isIntact };
  }
}

async function isBlobIntact(
  store: BlobStore,
  sha256: string,
  signal: AbortSignal | undefined,
): Promise<boolean | undefined> {
  const hash = createHash("sha256");
  try {
    await using reader = await store.open(sha256, signal);
    if (reader === undefined) return undefined;
    for await (const piece of reader.read(signal === undefined ? {} : { signal })) hash.update(piece);
  } catch (error) {
    // An engine that verifies what it reads has found it out by itself.
    if (error instanceof BlobError && error.code === "BLOB_CORRUPT") return false;
    throw error;
  }
  return hash.digest("hex") === sha256;
}
