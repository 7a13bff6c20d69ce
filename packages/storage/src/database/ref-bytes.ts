import { decodeItemHash, encodeItemHash, isItemHash } from "@twentysix/protocol";

/** Marks a `ref` that is no item hash. */
const FREE_TEXT = 0xfe;
/** Length of an encoded SHA-256 item hash, which may start with any byte. */
const SHA256_BYTES = 32;

/**
 * The `ref` of a message as the database keys it: item hashes in their compact form, other texts marked. A
 * marked text that would be as long as a SHA-256 gets a NUL behind it, which no content can hold.
 */
export function encodeRef(ref: string): Uint8Array {
  if (isItemHash(ref)) return encodeItemHash(ref);
  const text = new TextEncoder().encode(ref);
  const length = text.length + 1;
  const bytes = new Uint8Array(length === SHA256_BYTES ? length + 1 : length);
  bytes[0] = FREE_TEXT;
  bytes.set(text, 1);
  return bytes;
}

/** The inverse of `encodeRef`. */
export function decodeRef(bytes: Uint8Array): string {
  if (bytes[0] !== FREE_TEXT || bytes.length === SHA256_BYTES) return decodeItemHash(bytes);
  const padded = bytes.length === SHA256_BYTES + 1 && bytes.at(-1) === 0;
  return new TextDecoder().decode(bytes.subarray(1, padded ? -1 : undefined));
}
