import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bytesToNumberBE, numberToBytesBE } from "@noble/curves/utils.js";
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { base64 } from "@scure/base";
import { createAvalancheAccount } from "../../src/accounts/avalanche-account.ts";
import { createCosmosAccount } from "../../src/accounts/cosmos-account.ts";
import { createEvmAccount } from "../../src/accounts/evm-account.ts";
import { createNulsAccount } from "../../src/accounts/nuls-account.ts";
import { createNuls2Account } from "../../src/accounts/nuls2-account.ts";
import { createTezosAccount } from "../../src/accounts/tezos-account.ts";
import { encodeAvalancheSignature, parseAvalancheSignature } from "../../src/signature/avalanche.ts";
import { encodeNulsSignature, parseNulsSignature } from "../../src/signature/nuls.ts";
import { signatureIdentity } from "../../src/signature/signature-identity.ts";
import { DEFAULT_SIGNATURE_SWITCHES } from "../../src/signature/switches.ts";
import { decodeTezosSignature, encodeTezosSignature } from "../../src/signature/tezos-encoding.ts";
import { verifySignature } from "../../src/signature/verify-signature.ts";
import { signedBy } from "../accounts/every-account.ts";
import { PROVIDERS } from "./vectors.ts";

const privateKey = new Uint8Array(32).fill(23);
const unsigned = { type: "POST", itemHash: "ab".repeat(32), timeMicros: 0n } as const;
const K256 = secp256k1.Point.Fn.ORDER;
const P256 = p256.Point.Fn.ORDER;

function twin(rs: Uint8Array, order: bigint): Uint8Array {
  const s = order - bytesToNumberBE(rs.subarray(32));
  return concatBytes(rs.subarray(0, 32), numberToBytesBE(s, 32));
}

function twinOfHex(text: string): string {
  const bytes = hexToBytes(text.slice(2));
  const v = bytes[64] === 27 ? 28 : 27;
  return `0x${bytesToHex(twin(bytes.subarray(0, 64), K256))}${v.toString(16)}`;
}

function twinOfAvalanche(text: string): string {
  const [, crypto] = PROVIDERS[0] ?? assert.fail();
  const { rs, recoveryId } = parseAvalancheSignature(text, crypto) ?? assert.fail();
  return encodeAvalancheSignature({ rs: twin(rs, K256), recoveryId: recoveryId ^ 1 }, crypto);
}

function twinOfNuls2(text: string): string {
  const bytes = base64.decode(text);
  const header = 27 + (((bytes[0] ?? 0) - 27) ^ 1);
  return base64.encode(concatBytes(Uint8Array.of(header), twin(bytes.subarray(1), K256)));
}

function twinOfCosmos(text: string): string {
  const object = JSON.parse(text);
  return JSON.stringify({ ...object, signature: base64.encode(twin(base64.decode(object.signature), K256)) });
}

const twinOfTezos = (curve: "secp256k1" | "p256", order: bigint) => (text: string) => {
  const object = JSON.parse(text);
  const { bytes } = decodeTezosSignature(object.signature) ?? assert.fail();
  return JSON.stringify({ ...object, signature: encodeTezosSignature(curve, twin(bytes, order)) });
};

function twinOfNuls(text: string): string {
  const { publicKey, rs } = parseNulsSignature(text) ?? assert.fail();
  return encodeNulsSignature({ publicKey, rs: twin(rs, K256) });
}

const CASES = [
  ["EVM", createEvmAccount({ privateKey }), twinOfHex, true],
  ["AVAX", createAvalancheAccount({ privateKey, chainLetter: "X" }), twinOfAvalanche, true],
  ["NULS2", createNuls2Account({ privateKey }), twinOfNuls2, true],
  ["CSDK", createCosmosAccount({ privateKey }), twinOfCosmos, true],
  ["TEZOS P-256", createTezosAccount({ curve: "p256", privateKey }), twinOfTezos("p256", P256), true],
  [
    "TEZOS secp256k1",
    createTezosAccount({ curve: "secp256k1", privateKey }),
    twinOfTezos("secp256k1", K256),
    false,
  ],
  ["NULS", createNulsAccount({ privateKey }), twinOfNuls, false],
] as const;

describe("the twin signature with the other s", () => {
  for (const [name, account, makeTwin, accepted] of CASES) {
    test(`is ${accepted ? "accepted" : "refused"} for ${name}, and is another signature`, async () => {
      const fields = await signedBy(account, unsigned);
      const signature = makeTwin(fields.signature);
      assert.equal(makeTwin(signature), fields.signature);
      for (const [, crypto] of PROVIDERS) {
        const context = { crypto, switches: DEFAULT_SIGNATURE_SWITCHES };
        assert.deepEqual(verifySignature(fields, context), { ok: true });
        assert.equal(verifySignature({ ...fields, signature }, context).ok, accepted);
      }
      assert.notEqual(
        signatureIdentity(fields.chain, signature),
        signatureIdentity(fields.chain, fields.signature),
      );
    });
  }
});
