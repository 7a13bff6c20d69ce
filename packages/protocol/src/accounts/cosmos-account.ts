import { base64 } from "@scure/base";
import { COSMOS_KEY_TYPE, cosmosAddress, cosmosSignedBytes } from "../signature/cosmos.ts";
import { nobleCrypto } from "../signature/noble-crypto.ts";
import { compressSecp256k1Key } from "../signature/secp256k1-form.ts";
import { bufferFieldsOf, type LocalAccount } from "./account.ts";
import { AccountError } from "./account-error.ts";
import { assertSecp256k1PrivateKey, nobleSecp256k1Signer, type Secp256k1Signer } from "./secp256k1-signer.ts";

/** What wallets accept before the `1` of an address: lower-case letters, at least one. */
const HUMAN_READABLE_PART = /^[a-z]{1,83}$/;

export interface CosmosAccountOptions {
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** Human-readable part of the address; default `cosmos`. */
  readonly hrp?: string;
  readonly signer?: Secp256k1Signer;
}

/**
 * An account of a Cosmos SDK chain; signs the amino document of a text message.
 *
 * @throws AccountError `private_key_invalid`, `address_prefix_invalid`
 */
export function createCosmosAccount(options: CosmosAccountOptions): LocalAccount {
  const { privateKey, hrp = "cosmos", signer = nobleSecp256k1Signer } = options;
  assertSecp256k1PrivateKey(privateKey);
  if (!HUMAN_READABLE_PART.test(hrp)) {
    throw new AccountError(
      "address_prefix_invalid",
      "The prefix of a Cosmos address is 1 to 83 letters a to z.",
    );
  }
  const publicKey = compressSecp256k1Key(signer.publicKey(privateKey));
  const pubKey = { type: COSMOS_KEY_TYPE, value: base64.encode(publicKey) };
  const identity = { chain: "CSDK" as const, address: cosmosAddress(publicKey, hrp, nobleCrypto) };
  return {
    ...identity,
    timeStepMicros: 1n,
    sign(fields) {
      const digest = nobleCrypto.sha256(cosmosSignedBytes(bufferFieldsOf(identity, fields)));
      const { rs } = signer.sign(digest, privateKey);
      return JSON.stringify({
        signature: base64.encode(rs),
        pub_key: pubKey,
        account_number: "0",
        sequence: "0",
      });
    },
  };
}
