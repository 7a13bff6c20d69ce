import { bytesToHex } from "@noble/hashes/utils.js";
import type { CryptoProvider } from "./crypto-provider.ts";

/** `0x` and 40 lower-case digits: the last 20 bytes of the Keccak-256 of x || y. `publicKey` has 65 bytes. */
export function evmAddress(publicKey: Uint8Array, crypto: Pick<CryptoProvider, "keccak256">): string {
  return `0x${bytesToHex(crypto.keccak256(publicKey.subarray(1)).subarray(12))}`;
}

/** The same address with the letter case that carries its checksum. Source: ERC-55. */
export function evmChecksumAddress(address: string, crypto: Pick<CryptoProvider, "keccak256">): string {
  const digits = address.slice(2).toLowerCase();
  const digest = bytesToHex(crypto.keccak256(new TextEncoder().encode(digits)));
  const mixed = Array.from(digits, (digit, index) =>
    (digest[index] ?? "0") >= "8" ? digit.toUpperCase() : digit,
  );
  return `0x${mixed.join("")}`;
}
