import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { decodeDerSignature, encodeDerSignature } from "./der-signature.ts";
import type { FamilyVerifier } from "./family-verifier.ts";
import { nulsAddress, nulsChainId } from "./nuls-address.ts";
import { nulsPrintableSignedBytes, nulsSignedBytes } from "./nuls-message.ts";
import { encodeVarint, readLengthPrefixed } from "./nuls-varint.ts";
import { isSecp256k1KeyForm } from "./secp256k1-form.ts";
import { decodeHex } from "./text-decoding.ts";
import { malformed, mismatch } from "./verdict.ts";
import { verificationBuffer } from "./verification-buffer.ts";

const CURVE_TYPE = 0;

export interface NulsSignature {
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array;
  /** r || s, 64 bytes. */
  readonly rs: Uint8Array;
}

/** Hexadecimal of the length-prefixed key, curve type 0, and the length-prefixed DER signature. */
export function encodeNulsSignature(signature: NulsSignature): string {
  const der = encodeDerSignature(signature.rs);
  return bytesToHex(
    concatBytes(
      encodeVarint(signature.publicKey.length),
      signature.publicKey,
      Uint8Array.of(CURVE_TYPE),
      encodeVarint(der.length),
      der,
    ),
  );
}

export function parseNulsSignature(text: string): NulsSignature | null {
  const bytes = decodeHex(text);
  const key = bytes === null ? null : readLengthPrefixed(bytes, 0);
  if (bytes === null || key?.field.length !== 33 || !isSecp256k1KeyForm(key.field)) return null;
  if (bytes[key.end] !== CURVE_TYPE) return null;
  const der = readLengthPrefixed(bytes, key.end + 1);
  if (der?.end !== bytes.length) return null;
  const rs = decodeDerSignature(der.field);
  return rs === null ? null : { publicKey: key.field, rs };
}

/**
 * NULS 1: the embedded key gives the sender's address on the chain that the address names; ECDSA over SHA-256,
 * only low s. Which bytes are signed is for two protocol switches to say.
 *
 * Source: pyaleph `src/aleph/chains/nuls.py`.
 */
export const verifyNuls: FamilyVerifier = (fields, { crypto, switches }) => {
  const signature = parseNulsSignature(fields.signature);
  if (signature === null) {
    return malformed("the signature is not hexadecimal of a 33-byte key, a curve type and a DER signature");
  }
  const chainId = nulsChainId(fields.sender);
  if (chainId === null) return malformed("the sender is not base58 of 24 bytes");
  const address = nulsAddress(signature.publicKey, chainId, crypto);
  if (address !== fields.sender) {
    return mismatch("the public key does not belong to the sender", address);
  }
  const buffer = verificationBuffer(fields);
  const candidates = [
    ...(switches.nulsRealFormat ? [nulsSignedBytes(buffer)] : []),
    ...(switches.nulsPrintableForm ? [nulsPrintableSignedBytes(buffer)] : []),
  ];
  const matches = candidates.some((signed) =>
    crypto.verifySecp256k1(crypto.sha256(signed), signature.rs, signature.publicKey, { lowS: true }),
  );
  return matches ? null : mismatch("the secp256k1 signature does not match the buffer");
};
