import { createHash } from "node:crypto";
import type { BlobStat, BlobStore, ListOptions } from "./blob-store.ts";

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
  for await (const { sha256 } of store.list(options)) {
    await using reader = await store.open(sha256, options.signal);
    if (reader === undefined) continue;
    const hash = createHash("sha256");
    for await (const piece of reader.read(options.signal === undefined ? {} : { signal: options.signal })) {
      hash.update(piece);
    }
    yield { sha256, sizeBytes: reader.sizeBytes, isIntact: hash.digest("hex") === sha256 };
  }
}
