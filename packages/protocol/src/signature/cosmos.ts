import { utf8ToBytes } from "@noble/hashes/utils.js";
import { isJsonObject, memberOf } from "../json/json-value.ts";
import { encodeBech32 } from "./bech32.ts";
import type { CryptoProvider } from "./crypto-provider.ts";
import type { FamilyVerifier } from "./family-verifier.ts";
import { keyHash160 } from "./key-hash.ts";
import { isSecp256k1KeyForm } from "./secp256k1-form.ts";
import { parseSignatureObject, stringMember } from "./signature-object.ts";
import { decodeBase64 } from "./text-decoding.ts";
import { malformed, mismatch } from "./verdict.ts";
import { type BufferFields, verificationText } from "./verification-buffer.ts";

export const COSMOS_KEY_TYPE = "tendermint/PubKeySecp256k1";

/**
 * The bytes whose SHA-256 is signed: the amino document of a text message, keys sorted, every character outside
 * printable ASCII escaped.
 */
export function cosmosSignedBytes(fields: BufferFields): Uint8Array {
  const message = asciiJsonString(verificationText(fields));
  const signer = asciiJsonString(fields.sender);
  return utf8ToBytes(
    '{"account_number":"0","chain_id":"signed-message-v1","fee":{"amount":[],"gas":"0"},"memo":"",' +
      `"msgs":[{"type":"signutil/MsgSignText","value":{"message":${message},"signer":${signer}}}],"sequence":"0"}`,
  );
}

function asciiJsonString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The bech32 address of a compressed public key. */
export function cosmosAddress(
  publicKey: Uint8Array,
  humanReadablePart: string,
  crypto: Pick<CryptoProvider, "sha256">,
): string {
  return encodeBech32(humanReadablePart, keyHash160(publicKey, crypto));
}

export interface CosmosSignature {
  /** r || s, 64 bytes. */
  readonly rs: Uint8Array;
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array;
}

/** Reads `{"signature": base64, "pub_key": {"type", "value": base64}}`; other keys are ignored. */
export function parseCosmosSignature(text: string): CosmosSignature | null {
  const object = parseSignatureObject(text);
  const key = object === null ? undefined : memberOf(object, "pub_key");
  if (object === null || !isJsonObject(key) || memberOf(key, "type") !== COSMOS_KEY_TYPE) return null;
  const rs = decodeBase64(stringMember(object, "signature") ?? "");
  const publicKey = decodeBase64(stringMember(key, "value") ?? "");
  if (rs?.length !== 64 || publicKey?.length !== 33 || !isSecp256k1KeyForm(publicKey)) return null;
  return { rs, publicKey };
}

/** Cosmos SDK chains: ECDSA over SHA-256, any s. Source: pyaleph `src/aleph/chains/cosmos.py`. */
export const verifyCosmos: FamilyVerifier = (fields, { crypto }) => {
  const signature = parseCosmosSignature(fields.signature);
  if (signature === null) {
    return malformed("the signature is not a JSON object with a 64-byte signature and a secp256k1 pub_key");
  }
  const separator = fields.sender.indexOf("1");
  if (separator < 0) return malformed("the sender is not a bech32 address");
  const address = cosmosAddress(signature.publicKey, fields.sender.slice(0, separator), crypto);
  if (address !== fields.sender) {
    return mismatch("the public key does not belong to the sender", address);
  }
  const digest = crypto.sha256(cosmosSignedBytes(fields));
  return crypto.verifySecp256k1(digest, signature.rs, signature.publicKey, { lowS: false })
    ? null
    : mismatch("the secp256k1 signature does not match the buffer");
};
