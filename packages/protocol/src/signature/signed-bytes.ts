import type { CryptoProvider } from "./crypto-provider.ts";
import { evmDigest, parseEvmSignature } from "./evm.ts";
import { evmAddress } from "./evm-address.ts";
import { decodeBase58 } from "./text-decoding.ts";

/**
 * Who signed bytes as an EVM wallet signs a text (EIP-191 `personal_sign`): the address in lower case. null: the
 * signature is malformed, or nobody can have made it.
 *
 * @param signature r || s || v in hexadecimal, as `parseEvmSignature` reads it
 */
export function recoverEvmSigner(
  bytes: Uint8Array,
  signature: string,
  crypto: Pick<CryptoProvider, "keccak256" | "recoverSecp256k1">,
): string | null {
  const parsed = parseEvmSignature(signature);
  if (parsed === null) return null;
  const publicKey = crypto.recoverSecp256k1(evmDigest(bytes, crypto), parsed.rs, parsed.parity);
  return publicKey === null ? null : evmAddress(publicKey, crypto);
}

/** Whether the Ed25519 key that is this Solana address signed exactly these bytes. `signature` has 64 bytes. */
export function verifySolanaBytes(
  bytes: Uint8Array,
  signature: Uint8Array,
  address: string,
  crypto: Pick<CryptoProvider, "verifyEd25519">,
): boolean {
  const publicKey = decodeBase58(address, 32);
  return publicKey !== null && signature.length === 64 && crypto.verifyEd25519(bytes, signature, publicKey);
}
