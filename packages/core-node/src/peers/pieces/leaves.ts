import { createHash, hash } from "node:crypto";

/** The leaves of a fixed CID: chunks of a file, the last one shorter. Source: docs/decisions/0003-file-names.md. */
export const LEAF_BYTES = 256 * 1024;
export const DIGEST_BYTES = 32;

export const leafCount = (sizeBytes: number): number => Math.ceil(sizeBytes / LEAF_BYTES);

/** Bytes of one leaf. */
export const leafLength = (sizeBytes: number, index: number): number =>
  Math.min(LEAF_BYTES, sizeBytes - index * LEAF_BYTES);

/** The SHA-256 of each leaf of a file, one after the other. */
export async function leavesOf(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const digests: Uint8Array[] = [];
  let digest = createHash("sha256");
  let filled = 0;
  for await (const piece of bytes) {
    for (let at = 0; at < piece.byteLength; ) {
      const part = piece.subarray(at, at + LEAF_BYTES - filled);
      digest.update(part);
      at += part.byteLength;
      filled += part.byteLength;
      if (filled < LEAF_BYTES) continue;
      digests.push(digest.digest());
      digest = createHash("sha256");
      filled = 0;
    }
  }
  if (filled > 0) digests.push(digest.digest());
  return Buffer.concat(digests);
}

/** Whether a leaf is the one that a list names. */
export function isLeaf(leaf: Uint8Array, leaves: Uint8Array, index: number): boolean {
  const at = index * DIGEST_BYTES;
  return hash("sha256", leaf, "buffer").equals(leaves.subarray(at, at + DIGEST_BYTES));
}
