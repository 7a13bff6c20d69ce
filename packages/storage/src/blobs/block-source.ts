import type { ReadableStorage } from "ipfs-unixfs-exporter";
import type { CID } from "multiformats/cid";

/** Where blocks are read from. What it returns has the hash of the CID. */
export interface BlockSource {
  /** @throws BlobError BLOCK_NOT_FOUND, BLOB_CORRUPT, CID_UNSUPPORTED */
  getBlock(cid: CID, signal?: AbortSignal): Promise<Uint8Array>;
}

/** A block source in the shape that the IPFS libraries take. */
export function asReadableStorage(blocks: BlockSource): ReadableStorage {
  return {
    async *get(cid, options) {
      yield await blocks.getBlock(cid, options?.signal);
    },
  };
}
