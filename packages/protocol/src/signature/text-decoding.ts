import { base58 } from "@scure/base";

/** Bytes of an even number of hexadecimal digits in any letter case (no prefix), or null. */
export function decodeHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    const high = hexDigit(text.charCodeAt(2 * index));
    const low = hexDigit(text.charCodeAt(2 * index + 1));
    if (high < 0 || low < 0) return null;
    bytes[index] = high * 16 + low;
  }
  return bytes;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const BASE58_TEXT = /^[1-9A-HJ-NP-Za-km-z]+$/;
/** log(256) / log(58): base58 digits a byte. */
const BASE58_DIGITS_A_BYTE = 1.3658;

/**
 * Bytes of a base58 text that stands for exactly `sizeBytes` bytes, or null.
 *
 * Decoding takes time quadratic in the length, so a text that is too long is refused before it is read.
 */
export function decodeBase58(text: string, sizeBytes: number): Uint8Array | null {
  if (text.length > Math.ceil(sizeBytes * BASE58_DIGITS_A_BYTE) || !BASE58_TEXT.test(text)) return null;
  const bytes = base58.decode(text);
  return bytes.length === sizeBytes ? bytes : null;
}

const BASE64_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < BASE64_ALPHABET.length; value += 1) {
  BASE64_VALUES[BASE64_ALPHABET.charCodeAt(value)] = value;
}

/**
 * Bytes of a base64 text, or null.
 *
 * The set of accepted texts is that of the reference's decoder: ASCII characters outside the alphabet are
 * skipped, reading ends where the padding completes a group of four, and a group left incomplete is an error.
 * Anything stricter would refuse messages that other nodes hold.
 */
export function decodeBase64(text: string): Uint8Array | null {
  const bytes: number[] = [];
  let position = 0;
  let padding = 0;
  let carry = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 127) return null;
    if (code === 0x3d) {
      padding += 1;
      if (position >= 2 && position + padding >= 4)
        return nonAsciiAfter(text, index) ? null : Uint8Array.from(bytes);
      continue;
    }
    const value = BASE64_VALUES[code] ?? -1;
    if (value < 0) continue;
    padding = 0;
    if (position > 0) bytes.push(((carry << 6) | value) >> (6 - 2 * position));
    carry = value & (0x3f >> (2 * position));
    position = (position + 1) % 4;
  }
  return position === 0 ? Uint8Array.from(bytes) : null;
}

function nonAsciiAfter(text: string, start: number): boolean {
  for (let index = start; index < text.length; index += 1) if (text.charCodeAt(index) > 127) return true;
  return false;
}
