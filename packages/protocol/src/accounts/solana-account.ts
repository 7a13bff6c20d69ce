import { ed25519 } from "@noble/curves/ed25519.js";
import { equalBytes } from "@noble/curves/utils.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { base58 } from "@scure/base";
import { verificationBuffer } from "../signature/verification-buffer.ts";
import { bufferFieldsOf, type LocalAccount, type TextAccount } from "./account.ts";
import { AccountError } from "./account-error.ts";

export interface SolanaAccountOptions {
  /** 32 bytes, or 64 as Solana wallets export them (private key, then its public key). */
  readonly privateKey: Uint8Array;
  /** Default `SOL`; `ES` is Eclipse. */
  readonly chain?: "SOL" | "ES";
}

/**
 * An account of Solana or Eclipse.
 *
 * @throws AccountError `private_key_invalid`
 */
export function createSolanaAccount(options: SolanaAccountOptions): LocalAccount & TextAccount {
  const seed = seedOf(options.privateKey);
  const address = base58.encode(ed25519.getPublicKey(seed));
  const identity = { chain: options.chain ?? "SOL", address };
  return {
    ...identity,
    timeStepMicros: 1n,
    sign(fields) {
      const signature = ed25519.sign(verificationBuffer(bufferFieldsOf(identity, fields)), seed);
      return JSON.stringify({ signature: base58.encode(signature), publicKey: address });
    },
    signText: (text) => bytesToHex(ed25519.sign(text, seed)),
  };
}

function seedOf(privateKey: Uint8Array): Uint8Array {
  const seed = privateKey.subarray(0, 32);
  if (privateKey.length === 32) return seed;
  if (privateKey.length === 64 && equalBytes(ed25519.getPublicKey(seed), privateKey.subarray(32)))
    return seed;
  throw new AccountError(
    "private_key_invalid",
    "A Solana private key has 32 bytes, or 64 of which the second half is its public key. Give another key.",
  );
}
