import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { base58 } from "@scure/base";
import { encodeBech32 } from "./bech32.ts";
import type { CryptoProvider } from "./crypto-provider.ts";
import { verifyEvm } from "./evm.ts";
import type { FamilyVerifier } from "./family-verifier.ts";
import { keyHash160 } from "./key-hash.ts";
import { compressSecp256k1Key, isRecoveryId } from "./secp256k1-form.ts";
import { decodeBase58 } from "./text-decoding.ts";
import { malformed, mismatch } from "./verdict.ts";
import { verificationBuffer } from "./verification-buffer.ts";

/** The human-readable part of every address; those of test networks never match. */
const HUMAN_READABLE_PART = "avax";
const MESSAGE_PREFIX = utf8ToBytes("\x1aAvalanche Signed Message:\n");
const CHECKSUM_SIZE_BYTES = 4;
const PAYLOAD_SIZE_BYTES = 65;

/** The digest that Avalanche wallets sign, 32 bytes. */
export function avalancheDigest(buffer: Uint8Array, crypto: Pick<CryptoProvider, "sha256">): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, buffer.length);
  return crypto.sha256(concatBytes(MESSAGE_PREFIX, length, buffer));
}

/** `<chain letter>-avax1...` of a compressed public key. */
export function avalancheAddress(
  publicKey: Uint8Array,
  chainLetter: string,
  crypto: Pick<CryptoProvider, "sha256">,
): string {
  return `${chainLetter}-${encodeBech32(HUMAN_READABLE_PART, keyHash160(publicKey, crypto))}`;
}

export interface AvalancheSignature {
  /** r || s, 64 bytes. */
  readonly rs: Uint8Array;
  /** 0 to 3. */
  readonly recoveryId: number;
}

/** Base58 of r || s || recovery id || last 4 bytes of the SHA-256 of these 65. */
export function encodeAvalancheSignature(
  signature: AvalancheSignature,
  crypto: Pick<CryptoProvider, "sha256">,
): string {
  const payload = concatBytes(signature.rs, Uint8Array.of(signature.recoveryId));
  return base58.encode(concatBytes(payload, crypto.sha256(payload).slice(-CHECKSUM_SIZE_BYTES)));
}

export function parseAvalancheSignature(
  text: string,
  crypto: Pick<CryptoProvider, "sha256">,
): AvalancheSignature | null {
  const bytes = decodeBase58(text, PAYLOAD_SIZE_BYTES + CHECKSUM_SIZE_BYTES);
  if (bytes === null) return null;
  const payload = bytes.subarray(0, PAYLOAD_SIZE_BYTES);
  const checksum = crypto.sha256(payload).subarray(-CHECKSUM_SIZE_BYTES);
  if (!checksum.every((byte, index) => byte === bytes[PAYLOAD_SIZE_BYTES + index])) return null;
  const recoveryId = payload[64] ?? 0;
  return isRecoveryId(recoveryId) ? { rs: payload.subarray(0, 64), recoveryId } : null;
}

/**
 * Avalanche X and P chains: the sender is rebuilt from the recovered key, what stands before its first `-` kept.
 * Source: pyaleph `src/aleph/chains/avalanche.py`.
 */
export const verifyAvalanche: FamilyVerifier = (fields, context) => {
  const { crypto, switches } = context;
  if (switches.evmForUnverifiedChains && fields.sender.startsWith("0x")) return verifyEvm(fields, context);
  const separator = fields.sender.indexOf("-");
  if (separator < 0) return malformed("the sender is not of the form <chain letter>-avax1...");
  const signature = parseAvalancheSignature(fields.signature, crypto);
  if (signature === null) {
    return malformed("the signature is not base58 of 65 bytes with a recovery id and a valid checksum");
  }
  const digest = avalancheDigest(verificationBuffer(fields), crypto);
  const publicKey = crypto.recoverSecp256k1(digest, signature.rs, signature.recoveryId);
  if (publicKey === null) return mismatch("no public key can be recovered from the signature");
  const chainLetter = fields.sender.slice(0, separator);
  const address = avalancheAddress(compressSecp256k1Key(publicKey), chainLetter, crypto);
  if (address === fields.sender) return null;
  return mismatch("the address recovered from the signature is not the sender", address);
};
