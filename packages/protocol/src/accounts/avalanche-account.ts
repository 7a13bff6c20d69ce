import { avalancheAddress, avalancheDigest, encodeAvalancheSignature } from "../signature/avalanche.ts";
import { nobleCrypto } from "../signature/noble-crypto.ts";
import { compressSecp256k1Key } from "../signature/secp256k1-form.ts";
import { verificationBuffer } from "../signature/verification-buffer.ts";
import { bufferFieldsOf, type LocalAccount } from "./account.ts";
import { assertSecp256k1PrivateKey, nobleSecp256k1Signer, type Secp256k1Signer } from "./secp256k1-signer.ts";

export interface AvalancheAccountOptions {
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** The exchange chain or the platform chain; keys of the C chain are EVM accounts of chain `ETH`. */
  readonly chainLetter: "X" | "P";
  readonly signer?: Secp256k1Signer;
}

/**
 * An account of Avalanche's X or P chain.
 *
 * @throws AccountError `private_key_invalid`
 */
export function createAvalancheAccount(options: AvalancheAccountOptions): LocalAccount {
  const { privateKey, chainLetter, signer = nobleSecp256k1Signer } = options;
  assertSecp256k1PrivateKey(privateKey);
  const publicKey = compressSecp256k1Key(signer.publicKey(privateKey));
  const identity = { chain: "AVAX" as const, address: avalancheAddress(publicKey, chainLetter, nobleCrypto) };
  return {
    ...identity,
    timeStepMicros: 1n,
    sign(fields) {
      const buffer = verificationBuffer(bufferFieldsOf(identity, fields));
      return encodeAvalancheSignature(
        signer.sign(avalancheDigest(buffer, nobleCrypto), privateKey),
        nobleCrypto,
      );
    },
  };
}
