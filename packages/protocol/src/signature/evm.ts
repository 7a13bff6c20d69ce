import type { CryptoProvider } from "./crypto-provider.ts";
import { evmAddress, evmChecksumAddress } from "./evm-address.ts";
import type { FamilyVerifier } from "./family-verifier.ts";
import { decodeHex } from "./text-decoding.ts";
import { malformed, mismatch } from "./verdict.ts";
import { verificationBuffer } from "./verification-buffer.ts";

const encoder = new TextEncoder();
const HEX_PREFIX = /^0[xX]/;
const SIGNATURE_SIZE_BYTES = 65;

/** The EIP-191 `personal_sign` digest of a verification buffer, 32 bytes. */
export function evmDigest(buffer: Uint8Array, crypto: Pick<CryptoProvider, "keccak256">): Uint8Array {
  const prefix = encoder.encode(`\x19Ethereum Signed Message:\n${buffer.length}`);
  const signed = new Uint8Array(prefix.length + buffer.length);
  signed.set(prefix);
  signed.set(buffer, prefix.length);
  return crypto.keccak256(signed);
}

export interface EvmSignature {
  /** r || s, 64 bytes. */
  readonly rs: Uint8Array;
  /** Parity of y of the point R. */
  readonly parity: 0 | 1;
}

/**
 * Reads r || s || v in hexadecimal: with or without `0x`, any letter case, a missing leading zero added. v is
 * 0, 1, 27, 28, or from 35 on the parity plus 35 plus twice a chain id.
 */
export function parseEvmSignature(text: string): EvmSignature | null {
  if (text.length > 2 + 2 * SIGNATURE_SIZE_BYTES) return null;
  const digits = text.replace(HEX_PREFIX, "");
  const bytes = decodeHex(digits.length % 2 === 0 ? digits : `0${digits}`);
  if (bytes === null || bytes.length !== SIGNATURE_SIZE_BYTES) return null;
  const parity = parityOfV(bytes[64] ?? 0);
  return parity === null ? null : { rs: bytes.subarray(0, 64), parity };
}

function parityOfV(v: number): 0 | 1 | null {
  if (v === 0 || v === 27) return 0;
  if (v === 1 || v === 28) return 1;
  if (v < 35) return null;
  return (v - 35) % 2 === 0 ? 0 : 1;
}

/**
 * EVM chains: the address recovered from the signature is the sender, whatever the case of its letters. A high s
 * is accepted. Source: pyaleph `src/aleph/chains/evm.py`.
 */
export const verifyEvm: FamilyVerifier = (fields, { crypto }) => {
  const signature = parseEvmSignature(fields.signature);
  if (signature === null) {
    return malformed("the signature is not 65 bytes in hexadecimal with a valid recovery value");
  }
  const digest = evmDigest(verificationBuffer(fields), crypto);
  const publicKey = crypto.recoverSecp256k1(digest, signature.rs, signature.parity);
  if (publicKey === null) return mismatch("no public key can be recovered from the signature");
  const address = evmAddress(publicKey, crypto);
  if (address === fields.sender.toLowerCase()) return null;
  return mismatch(
    "the address recovered from the signature is not the sender",
    evmChecksumAddress(address, crypto),
  );
};
