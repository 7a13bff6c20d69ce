import { concatBytes } from "@noble/hashes/utils.js";
import { base64 } from "@scure/base";
import { nobleCrypto } from "../signature/noble-crypto.ts";
import { type Nuls2ChainId, nuls2Address } from "../signature/nuls-address.ts";
import { nulsSignedBytes } from "../signature/nuls-message.ts";
import { NULS2_HEADER_BASE } from "../signature/nuls2.ts";
import { compressSecp256k1Key } from "../signature/secp256k1-form.ts";
import { verificationBuffer } from "../signature/verification-buffer.ts";
import { bufferFieldsOf, type LocalAccount } from "./account.ts";
import { assertSecp256k1PrivateKey, nobleSecp256k1Signer, type Secp256k1Signer } from "./secp256k1-signer.ts";

export interface Nuls2AccountOptions {
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** 1: main network (default), 2: test network. */
  readonly chainId?: Nuls2ChainId;
  readonly signer?: Secp256k1Signer;
}

/**
 * An account of NULS 2.
 *
 * @throws AccountError `private_key_invalid`
 */
export function createNuls2Account(options: Nuls2AccountOptions): LocalAccount {
  const { privateKey, chainId = 1, signer = nobleSecp256k1Signer } = options;
  assertSecp256k1PrivateKey(privateKey);
  const publicKey = compressSecp256k1Key(signer.publicKey(privateKey));
  const identity = { chain: "NULS2" as const, address: nuls2Address(publicKey, chainId, nobleCrypto) };
  return {
    ...identity,
    timeStepMicros: 1n,
    sign(fields) {
      const signed = nulsSignedBytes(verificationBuffer(bufferFieldsOf(identity, fields)));
      const { rs, recoveryId } = signer.sign(nobleCrypto.sha256(signed), privateKey);
      return base64.encode(concatBytes(Uint8Array.of(NULS2_HEADER_BASE + recoveryId), rs));
    },
  };
}
