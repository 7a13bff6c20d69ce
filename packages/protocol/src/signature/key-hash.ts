import { ripemd160 } from "@noble/hashes/legacy.js";
import type { CryptoProvider } from "./crypto-provider.ts";

/** RIPEMD-160 of the SHA-256 of a compressed public key, 20 bytes: the address body of Cosmos, NULS and Avalanche. */
export function keyHash160(publicKey: Uint8Array, crypto: Pick<CryptoProvider, "sha256">): Uint8Array {
  return ripemd160(crypto.sha256(publicKey));
}
