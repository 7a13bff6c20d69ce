import { bytesToHex } from "@noble/hashes/utils.js";
import { getPublicKey, secretFromSeed, sign } from "@scure/sr25519";
import { encodeSs58 } from "../signature/ss58.ts";
import { verificationBuffer } from "../signature/verification-buffer.ts";
import { bufferFieldsOf, type LocalAccount } from "./account.ts";
import { AccountError } from "./account-error.ts";

/** The prefix of addresses that name no particular network. */
const GENERIC_PREFIX = 42;
const MAX_PREFIX = 16_383;
/**
 * The library mixes this into the nonce beside the secret nonce seed and the whole transcript; those two alone
 * make nonces secret and distinct, and a constant here makes signatures reproducible.
 */
const NO_EXTRA_ENTROPY = new Uint8Array(32);

export interface SubstrateAccountOptions {
  /** The 32-byte mini secret that a wallet derives from its phrase. */
  readonly seed: Uint8Array;
  /** Number of the network in the address, 0 to 16383; default 42. */
  readonly ss58Prefix?: number;
}

/**
 * An account of a Substrate chain (sr25519).
 *
 * @throws AccountError `private_key_invalid`, `address_prefix_invalid`
 */
export function createSubstrateAccount(options: SubstrateAccountOptions): LocalAccount {
  const { seed, ss58Prefix = GENERIC_PREFIX } = options;
  if (seed.length !== 32) {
    throw new AccountError(
      "private_key_invalid",
      `A Substrate seed has 32 bytes, this one has ${seed.length}.`,
    );
  }
  if (!Number.isInteger(ss58Prefix) || ss58Prefix < 0 || ss58Prefix > MAX_PREFIX) {
    throw new AccountError("address_prefix_invalid", `An SS58 prefix is a number from 0 to ${MAX_PREFIX}.`);
  }
  const secret = secretFromSeed(seed);
  const identity = { chain: "DOT" as const, address: encodeSs58(getPublicKey(secret), ss58Prefix) };
  return {
    ...identity,
    timeStepMicros: 1n,
    sign(fields) {
      const signature = sign(secret, verificationBuffer(bufferFieldsOf(identity, fields)), NO_EXTRA_ENTROPY);
      return JSON.stringify({ curve: "sr25519", data: `0x${bytesToHex(signature)}` });
    },
  };
}
