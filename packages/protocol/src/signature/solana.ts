import { memberOf } from "../json/json-value.ts";
import type { FamilyVerifier } from "./family-verifier.ts";
import { parseSignatureObject, stringMember } from "./signature-object.ts";
import { decodeBase58 } from "./text-decoding.ts";
import { malformed, mismatch } from "./verdict.ts";
import { verificationBuffer } from "./verification-buffer.ts";

export interface SolanaSignature {
  /** R || S, 64 bytes. */
  readonly bytes: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Base58 of the public key, which is the address. */
  readonly address: string;
}

/** Reads `{"signature": base58, "publicKey": base58}`, where a `version` may be present and must then be 1. */
export function parseSolanaSignature(text: string): SolanaSignature | null {
  const object = parseSignatureObject(text);
  if (object === null) return null;
  const version = memberOf(object, "version");
  if (version !== undefined && version !== 1) return null;
  const address = stringMember(object, "publicKey");
  const bytes = decodeBase58(stringMember(object, "signature") ?? "", 64);
  const publicKey = decodeBase58(address ?? "", 32);
  return address === null || bytes === null || publicKey === null ? null : { bytes, publicKey, address };
}

/** Solana and Eclipse: Ed25519 over the bare buffer. Source: pyaleph `src/aleph/chains/solana.py`. */
export const verifySolana: FamilyVerifier = (fields, { crypto }) => {
  const signature = parseSolanaSignature(fields.signature);
  if (signature === null) {
    return malformed("the signature is not a JSON object with a base58 signature and a base58 publicKey");
  }
  if (signature.address !== fields.sender) {
    return mismatch("the public key is not the sender", signature.address);
  }
  return crypto.verifyEd25519(verificationBuffer(fields), signature.bytes, signature.publicKey)
    ? null
    : mismatch("the Ed25519 signature does not match the buffer");
};
