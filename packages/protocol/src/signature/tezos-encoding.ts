import { blake2b } from "@noble/hashes/blake2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { base58 } from "@scure/base";
import { decodeBase58 } from "./text-decoding.ts";

export type TezosCurve = "ed25519" | "secp256k1" | "p256";

interface CurveEncoding {
  readonly publicKeyPrefix: Uint8Array;
  readonly publicKeySizeBytes: number;
  readonly addressPrefix: Uint8Array;
  readonly signaturePrefix: Uint8Array;
}

/** Base58check prefixes: edpk, tz1, edsig; sppk, tz2, spsig1; p2pk, tz3, p2sig. */
const ENCODINGS: Readonly<Record<TezosCurve, CurveEncoding>> = {
  ed25519: encoding("0d0f25d9", 32, "06a19f", "09f5cd8612"),
  secp256k1: encoding("03fee256", 33, "06a1a1", "0d7365133f"),
  p256: encoding("03b28b7f", 33, "06a1a4", "36f02c34"),
};
const CURVES = Object.keys(ENCODINGS) as readonly TezosCurve[];
/** The prefix `sig`, which fits any curve. */
const GENERIC_SIGNATURE_PREFIX = hexToBytes("04822b");
const SIGNATURE_SIZE_BYTES = 64;
const CHECKSUM_SIZE_BYTES = 4;
const ADDRESS_HASH_SIZE_BYTES = 20;

function encoding(
  publicKey: string,
  publicKeySizeBytes: number,
  address: string,
  signature: string,
): CurveEncoding {
  return {
    publicKeyPrefix: hexToBytes(publicKey),
    publicKeySizeBytes,
    addressPrefix: hexToBytes(address),
    signaturePrefix: hexToBytes(signature),
  };
}

export interface TezosPublicKey {
  readonly curve: TezosCurve;
  /** 32 bytes for Ed25519, else 33 (compressed). */
  readonly bytes: Uint8Array;
}

/** Reads an `edpk`, `sppk` or `p2pk` text, or gives null. */
export function decodeTezosPublicKey(text: string): TezosPublicKey | null {
  for (const curve of CURVES) {
    const { publicKeyPrefix, publicKeySizeBytes } = ENCODINGS[curve];
    const bytes = decodeChecked(text, publicKeyPrefix, publicKeySizeBytes);
    if (bytes !== null) return { curve, bytes };
  }
  return null;
}

export function encodeTezosPublicKey(key: TezosPublicKey): string {
  return encodeChecked(ENCODINGS[key.curve].publicKeyPrefix, key.bytes);
}

/** `tz1`, `tz2` or `tz3`: BLAKE2b-160 of the key bytes. */
export function tezosAddress(key: TezosPublicKey): string {
  return encodeChecked(
    ENCODINGS[key.curve].addressPrefix,
    blake2b(key.bytes, { dkLen: ADDRESS_HASH_SIZE_BYTES }),
  );
}

export interface TezosSignatureBytes {
  /** The curve that the prefix names; null for the generic `sig`. */
  readonly curve: TezosCurve | null;
  readonly bytes: Uint8Array;
}

/** Reads an `edsig`, `spsig1`, `p2sig` or `sig` text into its 64 bytes, or gives null. */
export function decodeTezosSignature(text: string): TezosSignatureBytes | null {
  const generic = decodeChecked(text, GENERIC_SIGNATURE_PREFIX, SIGNATURE_SIZE_BYTES);
  if (generic !== null) return { curve: null, bytes: generic };
  for (const curve of CURVES) {
    const bytes = decodeChecked(text, ENCODINGS[curve].signaturePrefix, SIGNATURE_SIZE_BYTES);
    if (bytes !== null) return { curve, bytes };
  }
  return null;
}

export function encodeTezosSignature(curve: TezosCurve, bytes: Uint8Array): string {
  return encodeChecked(ENCODINGS[curve].signaturePrefix, bytes);
}

function encodeChecked(prefix: Uint8Array, payload: Uint8Array): string {
  const body = concatBytes(prefix, payload);
  return base58.encode(concatBytes(body, checksum(body)));
}

function decodeChecked(text: string, prefix: Uint8Array, payloadSizeBytes: number): Uint8Array | null {
  const bodySize = prefix.length + payloadSizeBytes;
  const bytes = decodeBase58(text, bodySize + CHECKSUM_SIZE_BYTES);
  if (bytes === null || !startsWith(bytes, prefix)) return null;
  const body = bytes.subarray(0, bodySize);
  return startsWith(bytes.subarray(bodySize), checksum(body)) ? body.subarray(prefix.length) : null;
}

function checksum(body: Uint8Array): Uint8Array {
  return sha256(sha256(body)).subarray(0, CHECKSUM_SIZE_BYTES);
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, index) => byte === bytes[index]);
}
