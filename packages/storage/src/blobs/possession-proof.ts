import { hash } from "node:crypto";
import * as dagPb from "@ipld/dag-pb";
import type { CID } from "multiformats/cid";
import type { BlockSource } from "./block-source.ts";
import { assertBlockHash, DAG_PB, isInline, parseCid } from "./cids.ts";
import { claimedContentBytes, decodeDagNode } from "./dag-node.ts";
import { BlobError } from "./errors.ts";

/*
 * A challenge names a DAG and a number that nobody could foresee. It leads from the root to one leaf: in each node, the
 * link that a hash of the number and the depth points at. The answer is the blocks on that way. Whoever knows the name
 * of the DAG can check them without having any of it; whoever does not hold the leaf cannot answer.
 */

/** Blocks of one answer, and bytes after which no further one follows. Where a DAG goes on, so much of it is shown. */
const MAX_BLOCKS = 64;
const MAX_BYTES = 4 * 1024 * 1024;

/** The blocks from the root to the leaf that is challenged. @throws BlobError BLOCK_NOT_FOUND, BLOB_CORRUPT */
export async function provePossession(
  blocks: BlockSource,
  root: string,
  nonce: Uint8Array,
  signal?: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const proof: Uint8Array[] = [];
  const way = new Way(root, nonce);
  while (way.next !== null) {
    const bytes = await blocks.getBlock(way.next, signal);
    proof.push(bytes);
    way.go(bytes);
  }
  return proof;
}

/**
 * Does an answer show that its sender holds the leaf?
 *
 * @throws BlobError CID_INVALID, CID_UNSUPPORTED, BLOCK_HASH_MISMATCH, BLOB_MALFORMED
 */
export function assertPossession(root: string, nonce: Uint8Array, proof: readonly Uint8Array[]): void {
  const way = new Way(root, nonce);
  for (const bytes of proof) {
    if (way.next === null) throw malformed(root);
    assertBlockHash({ cid: way.next, bytes });
    way.go(bytes);
  }
  if (way.next !== null) throw malformed(root);
}

/** An answer that somebody gave, by the digests of its blocks, and as many of the blocks as it takes to judge it. */
export interface GivenProof {
  readonly root: string;
  readonly nonce: Uint8Array;
  /** SHA-256 of each block, in hexadecimal. */
  readonly digests: readonly string[];
  /** Bytes of the file that its sender said it has; null: it said nothing. */
  readonly sizeBytes: number | null;
}

/** The first blocks of an answer, up to the one that is wrong: what shows others that it is. */
export function wayToFault(
  { root, nonce, sizeBytes }: GivenProof,
  proof: readonly Uint8Array[],
): Uint8Array[] {
  const right: Uint8Array[] = [];
  const way = new Way(root, nonce);
  for (const bytes of proof) {
    if (way.next === null || digestOf(way.next) !== hash("sha256", bytes)) break;
    right.push(bytes);
    way.go(bytes);
  }
  // A size is judged by the root alone.
  const isSizeWrong =
    sizeBytes !== null && right[0] !== undefined && sizeOf(parseCid(root), right[0]) !== sizeBytes;
  return isSizeWrong ? right.slice(0, 1) : right;
}

/**
 * Is an answer shown to be false? It is when one of its blocks has not the digest that the block before it says, when
 * it ends too early or too late, or when the root says another size. `blocks`: its first ones.
 *
 * @throws BlobError CID_INVALID, CID_UNSUPPORTED, BLOCK_HASH_MISMATCH for a way that is none
 */
export function isRefuted(
  { root, nonce, digests, sizeBytes }: GivenProof,
  blocks: readonly Uint8Array[],
): boolean {
  const way = new Way(root, nonce);
  while (way.next !== null) {
    const cid = way.next;
    const isRoot = way.blocks === 0;
    if (digests[way.blocks] !== digestOf(cid)) return true;
    const bytes = blocks[way.blocks];
    if (bytes === undefined) return false;
    assertBlockHash({ cid, bytes });
    const size = isRoot ? sizeOf(cid, bytes) : null;
    if (sizeBytes !== null && size !== null && size !== sizeBytes) return true;
    way.go(bytes);
  }
  return digests.length > way.blocks;
}

/** Bytes of the file under a root, as its block says; null for what is no file. */
export function sizeOfRoot(root: string, bytes: Uint8Array): number | null {
  return sizeOf(parseCid(root), bytes);
}

function sizeOf(cid: CID, bytes: Uint8Array): number | null {
  const node = decodeDagNode({ cid, bytes });
  return node.kind === "file" ? claimedContentBytes(node) : null;
}

/** In hexadecimal. */
const digestOf = (cid: CID): string =>
  isInline(cid) ? hash("sha256", cid.multihash.digest) : Buffer.from(cid.multihash.digest).toString("hex");

/** Where a challenge leads, block by block. */
class Way {
  readonly #nonce: Uint8Array;
  #bytes = 0;
  /** Blocks that it led over. */
  blocks = 0;
  /** null: it is at its end. */
  next: CID | null;

  constructor(root: string, nonce: Uint8Array) {
    this.#nonce = nonce;
    this.next = parseCid(root);
  }

  /** @param bytes the next block */
  go(bytes: Uint8Array): void {
    if (this.next === null) throw new RangeError("The way of a challenge has no such block");
    this.#bytes += bytes.byteLength;
    const isEnough = this.blocks + 1 >= MAX_BLOCKS || this.#bytes >= MAX_BYTES;
    this.next = isEnough ? null : nextOf(this.next, bytes, this.#nonce, this.blocks);
    this.blocks += 1;
  }
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
