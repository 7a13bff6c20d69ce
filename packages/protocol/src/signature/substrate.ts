import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { verify as verifySr25519 } from "@scure/sr25519";
import { memberOf } from "../json/json-value.ts";
import type { FamilyVerifier } from "./family-verifier.ts";
import { parseSignatureObject, stringMember } from "./signature-object.ts";
import { decodeSs58 } from "./ss58.ts";
import { decodeHex } from "./text-decoding.ts";
import { malformed, mismatch } from "./verdict.ts";
import { verificationBuffer } from "./verification-buffer.ts";

const SIGNATURE_DIGITS = 128;
const WRAP_START = utf8ToBytes("<Bytes>");
const WRAP_END = utf8ToBytes("</Bytes>");

/** Reads `{"curve": "sr25519", "data": "0x..."}` into the 64 bytes of the signature, or null. */
export function parseSubstrateSignature(
  text: string,
  options: { readonly withoutPrefix: boolean },
): Uint8Array | null {
  const object = parseSignatureObject(text);
  if (object === null) return null;
  const curve = memberOf(object, "curve");
  if (curve !== undefined && curve !== "sr25519") return null;
  const data = stringMember(object, "data");
  if (data === null) return null;
  const hasPrefix = data.startsWith("0x");
  if (!hasPrefix && !options.withoutPrefix) return null;
  const digits = hasPrefix ? data.slice(2) : data;
  return digits.length === SIGNATURE_DIGITS ? decodeHex(digits) : null;
}

/**
 * Substrate: sr25519 with the key that the sender's address holds, over the buffer or, as browser extensions
 * sign, over the buffer between `<Bytes>` and `</Bytes>`. Source: pyaleph `src/aleph/chains/substrate.py`.
 */
export const verifySubstrate: FamilyVerifier = (fields, { switches }) => {
  const signature = parseSubstrateSignature(fields.signature, {
    withoutPrefix: switches.substrateHexWithoutPrefix,
  });
  if (signature === null) {
    return malformed("the signature is not a JSON object with curve sr25519 and data of 0x and 128 digits");
  }
  const publicKey = decodeSs58(fields.sender);
  if (publicKey === null) return malformed("the sender is not an SS58 address of a 32-byte key");
  const buffer = verificationBuffer(fields);
  if (isSignedBy(publicKey, buffer, signature)) return null;
  if (isSignedBy(publicKey, concatBytes(WRAP_START, buffer, WRAP_END), signature)) return null;
  return mismatch("the sr25519 signature matches neither the buffer nor its wrapped form");
};

function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verifySr25519(message, signature, publicKey);
  } catch {
    // The lengths are right, so what the library refuses here is a missing marker, s, or bytes that are no point.
    return false;
  }
}
