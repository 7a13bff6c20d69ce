import { ed25519 } from "@noble/curves/ed25519.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bytesToNumberLE, equalBytes } from "@noble/curves/utils.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes } from "@noble/hashes/utils.js";
import type { CryptoProvider } from "./crypto-provider.ts";
import { passesEd25519Rules } from "./ed25519-rules.ts";
import { isRecoveryId, isSecp256k1KeyForm } from "./secp256k1-form.ts";

/** Pure JavaScript: runs anywhere, slower than native code by a factor of about 30 on secp256k1. */
export const nobleCrypto: CryptoProvider = {
  implementation: { secp256k1: "noble", ed25519: "noble" },
  sha256,
  keccak256: keccak_256,
  recoverSecp256k1,
  verifySecp256k1,
  verifyEd25519,
};

function recoverSecp256k1(digest: Uint8Array, signature: Uint8Array, recoveryId: number): Uint8Array | null {
  if (digest.length !== 32 || signature.length !== 64 || !isRecoveryId(recoveryId)) return null;
  try {
    return secp256k1.Signature.fromBytes(signature, "compact")
      .addRecoveryBit(recoveryId)
      .recoverPublicKey(digest)
      .toBytes(false);
  } catch {
    // The lengths are right, so what the library refuses here is r, s, or the point that they give.
    return null;
  }
}

function verifySecp256k1(
  digest: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
  options: { readonly lowS: boolean },
): boolean {
  if (digest.length !== 32 || signature.length !== 64 || !isSecp256k1KeyForm(publicKey)) return false;
  return secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: options.lowS });
}

/**
 * The library's own verification multiplies by the cofactor in all its modes, so it accepts signatures with a
 * torsion component that libsodium refuses. Here R is computed and compared byte for byte.
 */
function verifyEd25519(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (!passesEd25519Rules(signature, publicKey)) return false;
  const a = decodePoint(publicKey);
  if (a === null) return false;
  const r = signature.subarray(0, 32);
  const order = ed25519.Point.Fn.ORDER;
  const challenge = bytesToNumberLE(sha512(concatBytes(r, publicKey, message))) % order;
  const s = bytesToNumberLE(signature.subarray(32));
  const computed = ed25519.Point.BASE.multiplyUnsafe(s).add(a.negate().multiplyUnsafe(challenge));
  return equalBytes(computed.toBytes(), r);
}

function decodePoint(bytes: Uint8Array): InstanceType<typeof ed25519.Point> | null {
  try {
    return ed25519.Point.fromBytes(bytes);
  } catch {
    // 32 canonical bytes that are no point: the only thing left for the library to refuse.
    return null;
  }
}
