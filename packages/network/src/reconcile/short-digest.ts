import { hash } from "node:crypto";

/** Bytes of a shortened digest. */
export const SHORT_BYTES = 8;
/** Bytes of the salt that the asking side draws for each comparison. */
export const SALT_BYTES = 16;

/**
 * The first bytes of SHA-256 over the salt and the digest of a range, or the key and the digest of a leaf. Short, since
 * most of what is compared is equal; salted, since nobody can then prepare two sets that look alike: a collision hides
 * a difference from one comparison and not from the next.
 *
 * @returns lower-case hexadecimal
 */
export function shortDigest(salt: Uint8Array, ...parts: readonly Uint8Array[]): string {
  return hash("sha256", Buffer.concat([salt, ...parts]), "hex").slice(0, SHORT_BYTES * 2);
}
