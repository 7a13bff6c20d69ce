import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { compressSecp256k1Key } from "../signature/secp256k1-form.ts";
import {
  encodeTezosPublicKey,
  encodeTezosSignature,
  type TezosCurve,
  tezosAddress,
} from "../signature/tezos-encoding.ts";
import {
  DEFAULT_TEZOS_DAPP_URL,
  michelineSignedBytes,
  type TezosSigningType,
  tezosDigest,
} from "../signature/tezos-message.ts";
import { verificationBuffer } from "../signature/verification-buffer.ts";
import { bufferFieldsOf, type LocalAccount } from "./account.ts";
import { AccountError } from "./account-error.ts";
import { assertSecp256k1PrivateKey, nobleSecp256k1Signer } from "./secp256k1-signer.ts";

/** Micheline signatures cover the time in milliseconds; the reference asks it of all Tezos producers. */
const TIME_STEP_MICROS = 1000n;

export interface TezosAccountOptions {
  /** Decides the address: `tz1`, `tz2` or `tz3`. */
  readonly curve: TezosCurve;
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** Default `raw`; `micheline` is what web wallets sign. */
  readonly signingType?: TezosSigningType;
  /** The application named in micheline signatures; default `aleph.im`. */
  readonly dAppUrl?: string;
}

/**
 * An account of Tezos. `sign` throws AccountError `time_too_precise` in micheline form unless the envelope time is
 * a whole number of milliseconds.
 *
 * @throws AccountError `private_key_invalid`
 */
export function createTezosAccount(options: TezosAccountOptions): LocalAccount {
  const { curve, privateKey, signingType = "raw", dAppUrl = DEFAULT_TEZOS_DAPP_URL } = options;
  const signer = CURVE_SIGNERS[curve];
  signer.assertPrivateKey(privateKey);
  const key = { curve, bytes: signer.publicKey(privateKey) };
  const publicKey = encodeTezosPublicKey(key);
  const identity = { chain: "TEZOS" as const, address: tezosAddress(key) };
  return {
    ...identity,
    timeStepMicros: TIME_STEP_MICROS,
    sign(fields) {
      const buffer = verificationBuffer(bufferFieldsOf(identity, fields));
      const signed = signingType === "raw" ? buffer : michelineBytes(buffer, fields.timeMicros, dAppUrl);
      const signature = encodeTezosSignature(curve, signer.sign(tezosDigest(signed), privateKey));
      return JSON.stringify(
        signingType === "raw"
          ? { signature, publicKey, signingType }
          : { signature, publicKey, signingType, dAppUrl },
      );
    },
  };
}

function michelineBytes(buffer: Uint8Array, timeMicros: bigint, dAppUrl: string): Uint8Array {
  const signed =
    timeMicros % TIME_STEP_MICROS === 0n ? michelineSignedBytes(buffer, timeMicros, dAppUrl) : null;
  if (signed !== null) return signed;
  throw new AccountError(
    "time_too_precise",
    `The envelope time ${timeMicros} µs is no whole number of milliseconds between the years 1 and 9999. ` +
      "Round it down to milliseconds and send that same time.",
  );
}

interface CurveSigner {
  assertPrivateKey(privateKey: Uint8Array): void;
  /** As Tezos writes it: 32 bytes for Ed25519, else compressed. */
  publicKey(privateKey: Uint8Array): Uint8Array;
  /** 64 bytes. */
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array;
}

const CURVE_SIGNERS: Readonly<Record<TezosCurve, CurveSigner>> = {
  ed25519: {
    assertPrivateKey: (privateKey) => assertValid(privateKey.length === 32),
    publicKey: (privateKey) => ed25519.getPublicKey(privateKey),
    sign: (digest, privateKey) => ed25519.sign(digest, privateKey),
  },
  secp256k1: {
    assertPrivateKey: assertSecp256k1PrivateKey,
    publicKey: (privateKey) => compressSecp256k1Key(nobleSecp256k1Signer.publicKey(privateKey)),
    sign: (digest, privateKey) => nobleSecp256k1Signer.sign(digest, privateKey).rs,
  },
  p256: {
    assertPrivateKey: (privateKey) => assertValid(p256.utils.isValidSecretKey(privateKey)),
    publicKey: (privateKey) => p256.getPublicKey(privateKey, true),
    sign: (digest, privateKey) => p256.sign(digest, privateKey, { prehash: false, extraEntropy: false }),
  },
};

function assertValid(valid: boolean): void {
  if (valid) return;
  throw new AccountError(
    "private_key_invalid",
    "A Tezos private key has 32 bytes and, on P-256, lies between 1 and the group order. Give another key.",
  );
}
