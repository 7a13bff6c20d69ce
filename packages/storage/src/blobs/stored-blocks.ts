import type { CID } from "multiformats/cid";
import type { BlobStore } from "./blob-store.ts";
import type { BlockIndex, BlockLocation } from "./block-index.ts";
import type { BlockSource } from "./block-source.ts";
import { assertSupported, isInline, sha256Of } from "./cids.ts";
import { BlobError } from "./errors.ts";
import { wrapLeaf } from "./leaf-frame.ts";

/** Where files and packs are opened. */
export type BlockHolders = Readonly<Record<BlockLocation["holder"], Pick<BlobStore, "open">>>;

/**
 * Blocks of all DAGs held, read from where they stand: a leaf is cut from its plain file, anything else from a
 * pack. Every block is hashed before it is handed out; a corrupt place is passed over while another has it.
 */
export class StoredBlocks implements BlockSource {
  readonly #index: Pick<BlockIndex, "locate">;
  readonly #stores: BlockHolders;

  constructor(index: Pick<BlockIndex, "locate">, stores: BlockHolders) {
    this.#index = index;
    this.#stores = stores;
  }

  async hasBlock(cid: CID): Promise<boolean> {
    return isInline(cid) || (await this.#index.locate(cid.multihash.digest)).length > 0;
  }

  async getBlock(cid: CID, signal?: AbortSignal): Promise<Uint8Array> {
    assertSupported(cid);
    if (isInline(cid)) return cid.multihash.digest;
    const locations = await this.#index.locate(cid.multihash.digest);
    let damage: unknown;
    for (const location of locations) {
      try {
        return await this.#read(cid, location, signal);
      } catch (error) {
        if (!isDamage(error)) throw error;
        damage = error;
      }
    }
    if (damage !== undefined) throw damage;
    throw new BlobError("BLOCK_NOT_FOUND", "this store does not hold the block: fetch it from a peer", {
      cid: cid.toString(),
    });
  }

  async #read(cid: CID, location: BlockLocation, signal: AbortSignal | undefined): Promise<Uint8Array> {
    await using reader = await this.#stores[location.holder].open(location.sha256, signal);
    if (reader === undefined) throw corrupt("is gone", cid, location);
    const stored = await reader.readAt(location.offsetBytes, location.lengthBytes);
    const bytes = location.isWrapped ? wrapLeaf(stored) : stored;
    if (Buffer.compare(sha256Of(bytes), cid.multihash.digest) === 0) return bytes;
    throw corrupt("has changed", cid, location);
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof BlobError && error.code === "BLOB_CORRUPT";
}

function corrupt(what: string, cid: CID, location: BlockLocation): BlobError {
  return new BlobError("BLOB_CORRUPT", `the ${location.holder} of the block ${what}: fetch it again`, {
    cid: cid.toString(),
    holder: location.holder,
    sha256: location.sha256,
    offsetBytes: location.offsetBytes,
  });
}
