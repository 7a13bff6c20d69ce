import type { FamilyVerifier } from "./family-verifier.ts";
import { nuls2Address, nuls2ChainId } from "./nuls-address.ts";
import { nulsSignedBytes } from "./nuls-message.ts";
import { compressSecp256k1Key, isRecoveryId } from "./secp256k1-form.ts";
import { decodeBase64 } from "./text-decoding.ts";
import { malformed, mismatch } from "./verdict.ts";
import { verificationBuffer } from "./verification-buffer.ts";

/** The recovery id is written as this plus the id. */
export const NULS2_HEADER_BASE = 27;

export interface Nuls2Signature {
  /** r || s, 64 bytes. */
  readonly rs: Uint8Array;
  /** 0 to 3. */
  readonly recoveryId: number;
}

/** Reads base64 of header || r || s, 65 bytes. */
export function parseNuls2Signature(text: string): Nuls2Signature | null {
  const bytes = decodeBase64(text);
  if (bytes?.length !== 65) return null;
  const recoveryId = (bytes[0] ?? 0) - NULS2_HEADER_BASE;
  return isRecoveryId(recoveryId) ? { rs: bytes.subarray(1), recoveryId } : null;
}

/**
 * NULS 2: the sender is rebuilt from the recovered key and the network that its prefix names.
 *
 * Source: pyaleph `src/aleph/chains/nuls2.py`, nuls2-python `nuls2/model/data.py`.
 */
export const verifyNuls2: FamilyVerifier = (fields, { crypto }) => {
  const signature = parseNuls2Signature(fields.signature);
  if (signature === null) return malformed("the signature is not base64 of 65 bytes with a valid header");
  const chainId = nuls2ChainId(fields.sender);
  if (chainId === null) return malformed("the sender starts with neither NULSd nor tNULSe");
  const digest = crypto.sha256(nulsSignedBytes(verificationBuffer(fields)));
  const publicKey = crypto.recoverSecp256k1(digest, signature.rs, signature.recoveryId);
  if (publicKey === null) return mismatch("no public key can be recovered from the signature");
  const address = nuls2Address(compressSecp256k1Key(publicKey), chainId, crypto);
  if (address === fields.sender) return null;
  return mismatch("the address recovered from the signature is not the sender", address);
};
