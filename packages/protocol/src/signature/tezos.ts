import { p256 } from "@noble/curves/nist.js";
import { type JsonObject, type JsonValue, memberOf } from "../json/json-value.ts";
import type { CryptoProvider } from "./crypto-provider.ts";
import type { FamilyVerifier } from "./family-verifier.ts";
import { isSecp256k1KeyForm } from "./secp256k1-form.ts";
import { parseSignatureObject, stringMember } from "./signature-object.ts";
import {
  decodeTezosPublicKey,
  decodeTezosSignature,
  type TezosPublicKey,
  tezosAddress,
} from "./tezos-encoding.ts";
import {
  DEFAULT_TEZOS_DAPP_URL,
  michelineSignedBytes,
  TEZOS_SIGNING_TYPES,
  type TezosSigningType,
  tezosDigest,
} from "./tezos-message.ts";
import { malformed, mismatch } from "./verdict.ts";
import { verificationBuffer } from "./verification-buffer.ts";

export interface TezosSignature {
  readonly key: TezosPublicKey;
  /** 64 bytes: R || S for Ed25519, r || s for the other curves. */
  readonly bytes: Uint8Array;
  readonly signingType: TezosSigningType;
  /** The application name that a micheline signature covers; null for raw ones. */
  readonly dAppUrl: string | null;
}

/** Reads `{"signature", "publicKey", "signingType"?, "dAppUrl"?}`; a prefix of another curve than the key's is invalid. */
export function parseTezosSignature(text: string): TezosSignature | null {
  const object = parseSignatureObject(text);
  if (object === null) return null;
  const key = decodeTezosPublicKey(stringMember(object, "publicKey") ?? "");
  const signature = decodeTezosSignature(stringMember(object, "signature") ?? "");
  if (key === null || signature === null) return null;
  if (signature.curve !== null && signature.curve !== key.curve) return null;
  const givenType = memberOrDefault(object, "signingType", "raw");
  const signingType = TEZOS_SIGNING_TYPES.find((type) => type === givenType);
  if (signingType === undefined) return null;
  if (signingType === "raw") return { key, bytes: signature.bytes, signingType, dAppUrl: null };
  const dAppUrl = memberOrDefault(object, "dAppUrl", DEFAULT_TEZOS_DAPP_URL);
  return typeof dAppUrl === "string" ? { key, bytes: signature.bytes, signingType, dAppUrl } : null;
}

/** A null that is written out is no default: the reference refuses it. */
function memberOrDefault(object: JsonObject, key: string, fallback: string): JsonValue {
  const value = memberOf(object, key);
  return value === undefined ? fallback : value;
}

/** Tezos: the key hash is the sender, the curve is the key's. Source: pyaleph `src/aleph/chains/tezos.py`. */
export const verifyTezos: FamilyVerifier = (fields, { crypto }) => {
  const signature = parseTezosSignature(fields.signature);
  if (signature === null) {
    return malformed("the signature is not a JSON object with a Tezos signature and publicKey of one curve");
  }
  const address = tezosAddress(signature.key);
  if (address !== fields.sender) {
    return mismatch("the public key does not belong to the sender", address);
  }
  const buffer = verificationBuffer(fields);
  const signed =
    signature.dAppUrl === null ? buffer : michelineSignedBytes(buffer, fields.timeMicros, signature.dAppUrl);
  if (signed === null) return malformed("the time is outside the years 1 to 9999");
  return verifyOnCurve(tezosDigest(signed), signature, crypto)
    ? null
    : mismatch(
        `the ${signature.key.curve} signature does not match the ${signature.signingType} form of the buffer`,
      );
};

function verifyOnCurve(digest: Uint8Array, signature: TezosSignature, crypto: CryptoProvider): boolean {
  const { key, bytes } = signature;
  switch (key.curve) {
    case "ed25519":
      return crypto.verifyEd25519(digest, bytes, key.bytes);
    case "secp256k1":
      return crypto.verifySecp256k1(digest, bytes, key.bytes, { lowS: true });
    case "p256":
      // Both curves write compressed keys alike. The length checks leave the library nothing to throw about.
      return (
        isSecp256k1KeyForm(key.bytes) &&
        p256.verify(bytes, digest, key.bytes, { prehash: false, lowS: false })
      );
  }
}
