import { bytesToHex } from "@noble/hashes/utils.js";
import type { CHAIN_FAMILIES, Chain } from "../chains.ts";
import { evmDigest } from "../signature/evm.ts";
import { evmAddress, evmChecksumAddress } from "../signature/evm-address.ts";
import { nobleCrypto } from "../signature/noble-crypto.ts";
import { verificationBuffer } from "../signature/verification-buffer.ts";
import { bufferFieldsOf, type LocalAccount, type TextAccount } from "./account.ts";
import { assertSecp256k1PrivateKey, nobleSecp256k1Signer, type Secp256k1Signer } from "./secp256k1-signer.ts";

/** Chains whose messages are verified as EVM. */
export type EvmChain = {
  [C in Chain]: (typeof CHAIN_FAMILIES)[C] extends "evm" ? C : never;
}[Chain];
/** Chains verified as EVM only on networks with the switch `evmForUnverifiedChains`. */
export type LenientEvmChain = "AURORA" | "AVAX" | "STT";

export interface EvmAccountOptions {
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** Default `ETH`, which is what an EVM wallet sends whatever network it is on. */
  readonly chain?: EvmChain | LenientEvmChain;
  /** Default pure JavaScript; a Node process passes `createNodeSecp256k1Signer()`. */
  readonly signer?: Secp256k1Signer;
}

/**
 * An account of an EVM chain, its address in checksummed letter case; signs as `personal_sign` does.
 *
 * @throws AccountError `private_key_invalid`
 */
export function createEvmAccount(options: EvmAccountOptions): LocalAccount & TextAccount {
  const { privateKey, chain = "ETH", signer = nobleSecp256k1Signer } = options;
  assertSecp256k1PrivateKey(privateKey);
  const identity = {
    chain,
    address: evmChecksumAddress(evmAddress(signer.publicKey(privateKey), nobleCrypto), nobleCrypto),
  };
  const signText = (text: Uint8Array): string => {
    const { rs, recoveryId } = signer.sign(evmDigest(text, nobleCrypto), privateKey);
    return `0x${bytesToHex(rs)}${(27 + recoveryId).toString(16)}`;
  };
  return {
    ...identity,
    timeStepMicros: 1n,
    sign: (fields) => signText(verificationBuffer(bufferFieldsOf(identity, fields))),
    signText,
  };
}
