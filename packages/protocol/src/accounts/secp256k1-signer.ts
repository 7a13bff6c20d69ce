import { secp256k1 } from "@noble/curves/secp256k1.js";
import { AccountError } from "./account-error.ts";

export interface RecoverableSignature {
  /** r || s, 64 bytes, s in the lower half of the order. */
  readonly rs: Uint8Array;
  /** 0 to 3. */
  readonly recoveryId: number;
}

/** Signs on secp256k1, deterministically (RFC 6979), so that Node can bring native code. */
export interface Secp256k1Signer {
  /** Which implementation this is, for the log. */
  readonly implementation: string;
  /** Uncompressed, 65 bytes. The private key is valid: {@link assertSecp256k1PrivateKey} comes first. */
  publicKey(privateKey: Uint8Array): Uint8Array;
  sign(digest: Uint8Array, privateKey: Uint8Array): RecoverableSignature;
}

/** Pure JavaScript; runs anywhere. */
export const nobleSecp256k1Signer: Secp256k1Signer = {
  implementation: "noble",
  publicKey: (privateKey) => secp256k1.getPublicKey(privateKey, false),
  sign(digest, privateKey) {
    const bytes = secp256k1.sign(digest, privateKey, {
      prehash: false,
      lowS: true,
      format: "recovered",
      extraEntropy: false,
    });
    return { rs: bytes.subarray(1), recoveryId: bytes[0] ?? 0 };
  },
};

/** @throws AccountError `private_key_invalid` unless it has 32 bytes and lies between 1 and the group order. */
export function assertSecp256k1PrivateKey(privateKey: Uint8Array): void {
  if (secp256k1.utils.isValidSecretKey(privateKey)) return;
  throw new AccountError(
    "private_key_invalid",
    "A secp256k1 private key has 32 bytes, is not zero and lies below the group order. Give another key.",
  );
}
