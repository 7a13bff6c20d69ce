import { base58 } from "@scure/base";
import { decodeUtf8, encodeUtf8 } from "../json/utf8.ts";
import { decodeBase32, encodeBase32 } from "./base32.ts";
import { decodeLowerHex, encodeHex } from "./hex.ts";

const RAW_TEXT_MARK = 0xff;
const SHA256_BYTES = 32;
const CID_V0_BYTES = 34;
const CID_V1_BYTES = 36;

/**
 * A compact, reversible binary form of an item hash, for database keys.
 *
 * 64 hexadecimal digits become 32 bytes, a canonical `Qm…` 34, a canonical 59-character CIDv1 36; a hash that
 * has no such form (a `Qm…` text of 44 characters, say) is 0xff and its UTF-8 bytes. `text` must have passed
 * `itemTypeOfHash`: the lengths of the forms tell them apart for item hashes only.
 */
export function encodeItemHash(text: string): Uint8Array {
  if (text.length === 64 && /^[0-9a-f]+$/.test(text)) return decodeLowerHex(text);
  return cidBytes(text) ?? rawBytes(text);
}

/** The item hash of which `bytes` is the binary form. Throws a RangeError for bytes that are nobody's form. */
export function decodeItemHash(bytes: Uint8Array): string {
  if (bytes[0] === RAW_TEXT_MARK && bytes.length !== SHA256_BYTES) {
    const text = decodeUtf8(bytes.subarray(1));
    if (text !== null) return text;
  } else if (bytes.length === SHA256_BYTES) return encodeHex(bytes);
  else if (bytes.length === CID_V0_BYTES) return base58.encode(bytes);
  else if (bytes.length === CID_V1_BYTES) return `b${encodeBase32(bytes)}`;
  throw new RangeError(
    `${bytes.length} bytes are not the form of an item hash; they were not written by encodeItemHash`,
  );
}

function cidBytes(text: string): Uint8Array | null {
  if (text.length === 46 && /^Qm[1-9A-HJ-NP-Za-km-z]+$/.test(text)) {
    const bytes = base58.decode(text);
    return bytes.length === CID_V0_BYTES && bytes[0] !== RAW_TEXT_MARK ? bytes : null;
  }
  if (text.length === 59 && text[0] === "b") {
    const bytes = decodeBase32(text.slice(1));
    return bytes?.length === CID_V1_BYTES && bytes[0] === 1 ? bytes : null;
  }
  return null;
}

function rawBytes(text: string): Uint8Array {
  const encoded = encodeUtf8(text);
  const bytes = new Uint8Array(encoded.length + 1);
  bytes[0] = RAW_TEXT_MARK;
  bytes.set(encoded, 1);
  return bytes;
}
