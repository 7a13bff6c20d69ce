import { hash } from "node:crypto";
import * as dagPb from "@ipld/dag-pb";
import type { CID } from "multiformats/cid";
import type { BlockSource } from "./block-source.ts";
import { assertBlockHash, DAG_PB, isInline, parseCid } from "./cids.ts";
import { BlobError } from "./errors.ts";

/*
 * A challenge names a DAG and a number that nobody could foresee. It leads from the root to one leaf: in each node, the
 * link that a hash of the number and the depth points at. The answer is the blocks on that way. Whoever knows the name
 * of the DAG can check them without having any of it; whoever does not hold the leaf cannot answer.
 */

/** Blocks of one answer; a DAG is no deeper. */
const MAX_DEPTH = 64;

/** The blocks from the root to the leaf that is challenged. @throws BlobError BLOCK_NOT_FOUND, BLOB_CORRUPT */
export async function provePossession(
  blocks: BlockSource,
  root: string,
  nonce: Uint8Array,
  signal?: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const proof: Uint8Array[] = [];
  let cid: CID | null = parseCid(root);
  for (let depth = 0; cid !== null && depth < MAX_DEPTH; depth += 1) {
    const bytes = await blocks.getBlock(cid, signal);
    proof.push(bytes);
    cid = nextOf(cid, bytes, nonce, depth);
  }
  return proof;
}

/**
 * Does an answer show that its sender holds the leaf?
 *
 * @throws BlobError CID_INVALID, CID_UNSUPPORTED, BLOCK_HASH_MISMATCH, BLOB_MALFORMED
 */
export function assertPossession(root: string, nonce: Uint8Array, proof: readonly Uint8Array[]): void {
  let cid: CID | null = parseCid(root);
  for (const [depth, bytes] of proof.entries()) {
    if (cid === null || depth >= MAX_DEPTH) throw malformed(root);
    assertBlockHash({ cid, bytes });
    cid = nextOf(cid, bytes, nonce, depth);
  }
  if (cid !== null) throw malformed(root);
}

/** The block that the challenge leads to from here; null at a leaf. */
function nextOf(cid: CID, bytes: Uint8Array, nonce: Uint8Array, depth: number): CID | null {
  if (cid.code !== DAG_PB || isInline(cid)) return null;
  const { Links: links } = dagPb.decode(bytes);
  if (links.length === 0) return null;
  const drawn = hash("sha256", Buffer.concat([nonce, Buffer.of(depth)]), "buffer").readUIntBE(0, 6);
  return links[drawn % links.length]?.Hash ?? null;
}

const malformed = (root: string): BlobError =>
  new BlobError("BLOCK_NOT_FOUND", "the proof does not lead from the root to a leaf", { root });
