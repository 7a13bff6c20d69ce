import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { encodeVarint } from "./nuls-varint.ts";

const PREFIX = utf8ToBytes("\x18NULS Signed Message:\n");

/** What NULS wallets sign with SHA-256: the prefix, the length of the buffer, the buffer. */
export function nulsSignedBytes(buffer: Uint8Array): Uint8Array {
  return concatBytes(PREFIX, encodeVarint(buffer.length), buffer);
}

/**
 * What the reference checks for NULS 1 instead: after the prefix stands the text that a Python interpreter
 * prints for these bytes. Source: pyaleph `src/aleph/chains/nuls_aleph_sdk.py`.
 */
export function nulsPrintableSignedBytes(buffer: Uint8Array): Uint8Array {
  return concatBytes(PREFIX, utf8ToBytes(printableForm(concatBytes(encodeVarint(buffer.length), buffer))));
}

const SINGLE_QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const NAMED_ESCAPES = new Map([
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0d, "\\r"],
  [0x5c, "\\\\"],
]);

function printableForm(bytes: Uint8Array): string {
  const quoteCode =
    bytes.includes(SINGLE_QUOTE) && !bytes.includes(DOUBLE_QUOTE) ? DOUBLE_QUOTE : SINGLE_QUOTE;
  const quote = String.fromCharCode(quoteCode);
  const characters = Array.from(bytes, (byte) => {
    const named = NAMED_ESCAPES.get(byte);
    if (named !== undefined) return named;
    if (byte === quoteCode) return `\\${quote}`;
    if (byte >= 0x20 && byte <= 0x7e) return String.fromCharCode(byte);
    return `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `b${quote}${characters.join("")}${quote}`;
}
