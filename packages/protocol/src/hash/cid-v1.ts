import { decodeBase32 } from "./base32.ts";

/** Longest text looked at: a 64-byte digest with long codec and hash codes stays under it. */
const MAX_CID_TEXT = 160;

/** True for a CIDv1 in its canonical text form: `b`, then base32 of version 1, codec, hash code, length, digest. */
export function isCidV1(text: string): boolean {
  if (!text.startsWith("b") || text.length > MAX_CID_TEXT) return false;
  const bytes = decodeBase32(text.slice(1));
  if (bytes === null || bytes[0] !== 1) return false;
  const codec = readVarint(bytes, 1);
  const hashCode = codec && readVarint(bytes, codec.next);
  const digestLength = hashCode && readVarint(bytes, hashCode.next);
  return (
    digestLength !== null && digestLength.value > 0 && digestLength.next + digestLength.value === bytes.length
  );
}

/** An unsigned varint of at most five bytes in its shortest form. */
function readVarint(bytes: Uint8Array, start: number): { value: number; next: number } | null {
  let value = 0;
  for (let index = start; index < Math.min(start + 5, bytes.length); index += 1) {
    const byte = bytes[index] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (index - start));
    if (byte < 0x80) return byte === 0 && index > start ? null : { value, next: index + 1 };
  }
  return null;
}
