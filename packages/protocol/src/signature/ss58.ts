import { blake2b } from "@noble/hashes/blake2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { base58 } from "@scure/base";
import { decodeBase58 } from "./text-decoding.ts";

const CHECKSUM_SIZE_BYTES = 2;
const KEY_SIZE_BYTES = 32;
const CONTEXT = utf8ToBytes("SS58PRE");

/**
 * SS58 text of a 32-byte public key. `prefix` is the number of the network, 0 to 16383 (42: any Substrate chain).
 *
 * Source: Substrate, `ss58-registry`.
 */
export function encodeSs58(publicKey: Uint8Array, prefix: number): string {
  const payload = concatBytes(prefixBytes(prefix), publicKey);
  return base58.encode(concatBytes(payload, checksum(payload)));
}

function prefixBytes(prefix: number): Uint8Array {
  if (prefix < 64) return Uint8Array.of(prefix);
  return Uint8Array.of(((prefix & 0xfc) >> 2) | 0x40, (prefix >> 8) | ((prefix & 0x03) << 6));
}

/** The 32-byte public key of an SS58 address of any network, or null. */
export function decodeSs58(address: string): Uint8Array | null {
  for (const prefixSize of [1, 2]) {
    const bytes = decodeBase58(address, prefixSize + KEY_SIZE_BYTES + CHECKSUM_SIZE_BYTES);
    if (bytes === null) continue;
    const first = bytes[0] ?? 0;
    if (prefixSize === 1 ? first >= 64 : first < 64 || first >= 128) return null;
    const payload = bytes.subarray(0, prefixSize + KEY_SIZE_BYTES);
    const expected = checksum(payload);
    const given = bytes.subarray(payload.length);
    return expected.every((byte, index) => byte === given[index]) ? payload.subarray(prefixSize) : null;
  }
  return null;
}

function checksum(payload: Uint8Array): Uint8Array {
  return blake2b(concatBytes(CONTEXT, payload)).subarray(0, CHECKSUM_SIZE_BYTES);
}
