import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { encodeUtf8 } from "../json/utf8.ts";
import { encodeHex } from "./hex.ts";

export { nobleSha256 };

export type Sha256 = (data: Uint8Array) => Uint8Array;

/** SHA-256 of bytes as 64 lower-case hexadecimal digits. Pass the native function where there is one. */
export function sha256Hex(data: Uint8Array, sha256: Sha256 = nobleSha256): string {
  return encodeHex(sha256(data));
}

/** SHA-256 of the UTF-8 bytes of a text: the item hash of inline content. */
export function sha256OfText(text: string, sha256: Sha256 = nobleSha256): string {
  return sha256Hex(encodeUtf8(text), sha256);
}
