import type { CID } from "multiformats/cid";
import type { BlockSource } from "./block-source.ts";
import { encodeCarHeader } from "./car-header.ts";
import type { Block } from "./cids.ts";
import { type WalkOptions, walkDag } from "./dag-walk.ts";
import { varint } from "./leaf-frame.ts";

/**
 * A DAG as a CARv1 stream: each block once, parents before children in the order of their links, as
 * `ipfs dag export` of Kubo writes it.
 * @throws BlobError as walkDag
 */
export async function* exportCar(
  root: CID,
  blocks: BlockSource,
  options: WalkOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  yield encodeCarHeader([root]);
  for await (const block of walkDag(root, blocks, options)) {
    yield sectionHead(block);
    yield block.bytes;
  }
}

/** What stands before the bytes of a block in a CAR file: the length of the section and the CID. */
export function sectionHead({ cid, bytes }: Block): Uint8Array {
  return Buffer.concat([Uint8Array.from(varint(cid.bytes.byteLength + bytes.byteLength)), cid.bytes]);
}
