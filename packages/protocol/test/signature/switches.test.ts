import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { secretFromSeed, sign } from "@scure/sr25519";
import type { Account } from "../../src/accounts/account.ts";
import { createEvmAccount } from "../../src/accounts/evm-account.ts";
import { createNulsAccount } from "../../src/accounts/nuls-account.ts";
import { nobleSecp256k1Signer } from "../../src/accounts/secp256k1-signer.ts";
import { createSubstrateAccount } from "../../src/accounts/substrate-account.ts";
import type { SignedFields } from "../../src/envelope.ts";
import { encodeNulsSignature } from "../../src/signature/nuls.ts";
import { nulsPrintableSignedBytes } from "../../src/signature/nuls-message.ts";
import { compressSecp256k1Key } from "../../src/signature/secp256k1-form.ts";
import { DEFAULT_SIGNATURE_SWITCHES, type SignatureSwitches } from "../../src/signature/switches.ts";
import { verificationBuffer } from "../../src/signature/verification-buffer.ts";
import { verifySignature } from "../../src/signature/verify-signature.ts";
import { PROVIDERS, vector } from "./vectors.ts";

const toSign = {
  type: "POST",
  itemHash: "7e4f914865028356704919810073ec5690ecc4bb0ee3bd6bdb24829fd532398f",
  timeMicros: 1_700_000_000_000_000n,
} as const;
const privateKey = new Uint8Array(32).fill(11);

async function signedBy(account: Account): Promise<SignedFields & { signature: string }> {
  const { chain, address: sender } = account;
  return { ...toSign, chain, sender, signature: await account.sign(toSign) };
}

for (const [name, crypto] of PROVIDERS) {
  const verify = (fields: SignedFields, changes: Partial<SignatureSwitches> = {}) =>
    verifySignature(fields, { crypto, switches: { ...DEFAULT_SIGNATURE_SWITCHES, ...changes } });
  const accepts = (fields: SignedFields, changes?: Partial<SignatureSwitches>): boolean =>
    verify(fields, changes).ok;

  describe(`protocol switches, ${name}`, () => {
    test("nulsRealFormat decides over the real format of NULS", async () => {
      for (const fields of [vector("NULS", "84afd848"), await signedBy(createNulsAccount({ privateKey }))]) {
        assert.equal(accepts(fields), true);
        assert.equal(accepts(fields, { nulsRealFormat: false }), false);
        assert.equal(accepts(fields, { nulsRealFormat: false, nulsPrintableForm: true }), false);
      }
    });

    test("nulsPrintableForm decides over the printable form of NULS", () => {
      const account = createNulsAccount({ privateKey });
      const unsigned = { ...toSign, chain: "NULS" as const, sender: account.address };
      const digest = crypto.sha256(nulsPrintableSignedBytes(verificationBuffer(unsigned)));
      const publicKey = compressSecp256k1Key(nobleSecp256k1Signer.publicKey(privateKey));
      const { rs } = nobleSecp256k1Signer.sign(digest, privateKey);
      const fields = { ...unsigned, signature: encodeNulsSignature({ publicKey, rs }) };
      assert.equal(accepts(fields), false);
      assert.equal(accepts(fields, { nulsPrintableForm: true }), true);
      assert.equal(accepts(fields, { nulsPrintableForm: true, nulsRealFormat: false }), true);
    });

    test("substrateHexWithoutPrefix decides over data without 0x", async () => {
      const fields = await signedBy(createSubstrateAccount({ seed: privateKey }));
      const bare = { ...fields, signature: fields.signature.replace("0x", "") };
      assert.equal(accepts(fields), true);
      assert.equal(accepts(bare), false);
      assert.equal(accepts(bare, { substrateHexWithoutPrefix: true }), true);
      assert.equal(accepts(fields, { substrateHexWithoutPrefix: true }), true);
    });

    test("evmForUnverifiedChains decides over AURORA, STT and 0x senders of AVAX", async () => {
      for (const [chain, code] of [
        ["AURORA", 0],
        ["STT", 0],
        ["AVAX", 1],
      ] as const) {
        const fields = await signedBy(createEvmAccount({ privateKey, chain }));
        const verdict = verify(fields);
        assert.equal(!verdict.ok && verdict.code, code);
        assert.equal(accepts(fields, { evmForUnverifiedChains: true }), true);
        const tampered = { ...fields, type: "STORE" as const };
        assert.equal(accepts(tampered, { evmForUnverifiedChains: true }), false);
      }
      assert.equal(accepts(vector("AVAX", "3c4d948a"), { evmForUnverifiedChains: true }), true);
    });

    test("a chain without verifier says so, whatever the signature", () => {
      const verdict = verify({ ...toSign, chain: "STT", sender: "0x00", signature: null });
      assert.deepEqual(verdict, { ok: false, code: 0, reason: "unknown chain for validation: STT" });
    });

    test("what a browser extension wrapped before signing is accepted for DOT", () => {
      const account = createSubstrateAccount({ seed: privateKey });
      const secret = secretFromSeed(privateKey);
      const unsigned = { ...toSign, chain: "DOT" as const, sender: account.address };
      const wrapped = concatBytes(
        utf8ToBytes("<Bytes>"),
        verificationBuffer(unsigned),
        utf8ToBytes("</Bytes>"),
      );
      const data = `0x${Buffer.from(sign(secret, wrapped)).toString("hex")}`;
      assert.equal(accepts({ ...unsigned, signature: JSON.stringify({ data }) }), true);
      assert.equal(accepts({ ...unsigned, signature: JSON.stringify({ curve: "ed25519", data }) }), false);
    });
  });
}
