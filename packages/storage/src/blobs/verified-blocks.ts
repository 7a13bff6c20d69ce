import { assertBlockHash, type Block } from "./cids.ts";
import { assertBlockSize } from "./dag-limits.ts";

/**
 * The same blocks, each held against its hash.
 * @throws BlobError BLOCK_TOO_LARGE, BLOCK_HASH_MISMATCH, CID_UNSUPPORTED
 */
export async function* verifiedBlocks(
  blocks: AsyncIterable<Block> | Iterable<Block>,
): AsyncGenerator<Block, void, undefined> {
  for await (const block of blocks) {
    assertBlockSize(block.bytes.byteLength);
    assertBlockHash(block);
    yield block;
  }
}
