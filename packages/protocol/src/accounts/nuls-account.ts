import { nobleCrypto } from "../signature/noble-crypto.ts";
import { encodeNulsSignature } from "../signature/nuls.ts";
import { nulsAddress } from "../signature/nuls-address.ts";
import { nulsSignedBytes } from "../signature/nuls-message.ts";
import { compressSecp256k1Key } from "../signature/secp256k1-form.ts";
import { verificationBuffer } from "../signature/verification-buffer.ts";
import { bufferFieldsOf, type LocalAccount } from "./account.ts";
import { assertSecp256k1PrivateKey, nobleSecp256k1Signer, type Secp256k1Signer } from "./secp256k1-signer.ts";

/** Chain id of the NULS 1 main network. */
const MAIN_CHAIN_ID = 8964;

export interface NulsAccountOptions {
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** 16 bits inside the address; default 8964, the main network. */
  readonly chainId?: number;
  readonly signer?: Secp256k1Signer;
}

/**
 * An account of NULS 1; signs the real format, which networks with the switch `nulsRealFormat` accept.
 *
 * @throws AccountError `private_key_invalid`
 */
export function createNulsAccount(options: NulsAccountOptions): LocalAccount {
  const { privateKey, chainId = MAIN_CHAIN_ID, signer = nobleSecp256k1Signer } = options;
  assertSecp256k1PrivateKey(privateKey);
  const publicKey = compressSecp256k1Key(signer.publicKey(privateKey));
  const identity = { chain: "NULS" as const, address: nulsAddress(publicKey, chainId, nobleCrypto) };
  return {
    ...identity,
    timeStepMicros: 1n,
    sign(fields) {
      const signed = nulsSignedBytes(verificationBuffer(bufferFieldsOf(identity, fields)));
      const { rs } = signer.sign(nobleCrypto.sha256(signed), privateKey);
      return encodeNulsSignature({ publicKey, rs });
    },
  };
}
