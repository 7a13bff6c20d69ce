/**
 * The curve operations that signature verification needs, so that Node can bring native code and a browser
 * pure JavaScript. Every function is total: bad input gives false or null, never an exception.
 */
export interface CryptoProvider {
  /** Which implementation each operation really uses, for the log (for example `{ secp256k1: "libsecp256k1" }`). */
  readonly implementation: Readonly<{ secp256k1: string; ed25519: string }>;
  sha256(data: Uint8Array): Uint8Array;
  keccak256(data: Uint8Array): Uint8Array;
  /** Uncompressed public key (65 bytes, first byte 4) or null. `signature` is r||s (64 bytes), any s. */
  recoverSecp256k1(digest: Uint8Array, signature: Uint8Array, recoveryId: number): Uint8Array | null;
  /** ECDSA over a 32-byte digest; r||s (64 bytes). With `lowS` an s in the upper half of the order is refused. */
  verifySecp256k1(
    digest: Uint8Array,
    signature: Uint8Array,
    publicKey: Uint8Array,
    options: { readonly lowS: boolean },
  ): boolean;
  /** RFC 8032 verification as libsodium does it: S below the order, no small-order or non-canonical A, no small-order R, cofactorless. */
  verifyEd25519(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean;
}
