import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bytesToNumberBE, numberToBytesBE } from "@noble/curves/utils.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { createNodeSecp256k1Signer } from "../../src/accounts/native-secp256k1-signer.ts";
import { nobleSecp256k1Signer } from "../../src/accounts/secp256k1-signer.ts";
import { createNodeCrypto } from "../../src/signature/native-crypto.ts";
import { nobleCrypto } from "../../src/signature/noble-crypto.ts";
import { loadSecp256k1Binding } from "../../src/signature/secp256k1-binding.ts";
import { compressSecp256k1Key } from "../../src/signature/secp256k1-form.ts";
import { PROVIDERS } from "./vectors.ts";

const ORDER = secp256k1.Point.Fn.ORDER;
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const privateKeys = bytes32.filter((bytes) => secp256k1.utils.isValidSecretKey(bytes));

const number = (value: bigint): Uint8Array => numberToBytesBE(value, 32);
const highS = (rs: Uint8Array): Uint8Array =>
  concatBytes(rs.subarray(0, 32), number(ORDER - bytesToNumberBE(rs.subarray(32))));

describe("secp256k1, both providers", () => {
  test("the provider says which implementation it runs", () => {
    const loaded = loadSecp256k1Binding();
    const { secp256k1: name } = createNodeCrypto().implementation;
    assert.equal(name, loaded.ok ? "libsecp256k1" : `noble (${loaded.reason})`);
    assert.equal(createNodeSecp256k1Signer().implementation, name);
    assert.equal(nobleCrypto.implementation.secp256k1, "noble");
  });

  test("recovers the key that signed, from either of the twin signatures", () => {
    fc.assert(
      fc.property(privateKeys, bytes32, (privateKey, digest) => {
        const { rs, recoveryId } = nobleSecp256k1Signer.sign(digest, privateKey);
        const publicKey = secp256k1.getPublicKey(privateKey, false);
        for (const [, crypto] of PROVIDERS) {
          assert.deepEqual(crypto.recoverSecp256k1(digest, rs, recoveryId), publicKey);
          assert.deepEqual(crypto.recoverSecp256k1(digest, highS(rs), recoveryId ^ 1), publicKey);
        }
      }),
      { numRuns: 12 },
    );
  });

  test("verifies with either form of the key; a high s only where it is allowed", () => {
    const privateKey = number(42n);
    const digest = number(7n);
    const { rs } = nobleSecp256k1Signer.sign(digest, privateKey);
    const full = secp256k1.getPublicKey(privateKey, false);
    for (const [, crypto] of PROVIDERS) {
      for (const key of [full, compressSecp256k1Key(full)]) {
        assert.equal(crypto.verifySecp256k1(digest, rs, key, { lowS: true }), true);
        assert.equal(crypto.verifySecp256k1(digest, rs, key, { lowS: false }), true);
        assert.equal(crypto.verifySecp256k1(digest, highS(rs), key, { lowS: true }), false);
        assert.equal(crypto.verifySecp256k1(digest, highS(rs), key, { lowS: false }), true);
        assert.equal(crypto.verifySecp256k1(number(8n), rs, key, { lowS: false }), false);
      }
    }
  });

  test("the signature given is left as it was", () => {
    const digest = number(7n);
    const twisted = highS(nobleSecp256k1Signer.sign(digest, number(42n)).rs);
    const before = twisted.slice();
    for (const [, crypto] of PROVIDERS) {
      crypto.verifySecp256k1(digest, twisted, secp256k1.getPublicKey(number(42n)), { lowS: false });
      crypto.recoverSecp256k1(digest, twisted, 0);
    }
    assert.deepEqual(twisted, before);
  });

  test("bad numbers, keys, lengths and recovery ids give false or null", () => {
    const digest = number(7n);
    const { rs } = nobleSecp256k1Signer.sign(digest, number(42n));
    const key = secp256k1.getPublicKey(number(42n));
    const r = rs.subarray(0, 32);
    const badSignatures = [
      concatBytes(number(0n), number(1n)),
      concatBytes(r, number(0n)),
      concatBytes(number(ORDER), number(1n)),
      concatBytes(r, number(ORDER)),
      concatBytes(number(2n ** 256n - 1n), number(1n)),
      rs.subarray(1),
      concatBytes(rs, number(0n)),
      new Uint8Array(),
    ];
    const hybrid = secp256k1.getPublicKey(number(42n), false);
    hybrid[0] = 6 + ((hybrid[64] ?? 0) & 1);
    const offCurve = concatBytes(Uint8Array.of(2), number(5n));
    const badKeys = [hybrid, offCurve, key.subarray(1), new Uint8Array(33), new Uint8Array()];
    for (const [, crypto] of PROVIDERS) {
      for (const lowS of [true, false]) {
        for (const signature of badSignatures) {
          assert.equal(crypto.verifySecp256k1(digest, signature, key, { lowS }), false);
        }
        for (const badKey of badKeys) {
          assert.equal(crypto.verifySecp256k1(digest, rs, badKey, { lowS }), false);
        }
        assert.equal(crypto.verifySecp256k1(digest.subarray(1), rs, key, { lowS }), false);
      }
      for (const signature of badSignatures) {
        assert.equal(crypto.recoverSecp256k1(digest, signature, 0), null);
      }
      for (const id of [-1, 2, 3, 4, 0.5, Number.NaN]) {
        assert.equal(crypto.recoverSecp256k1(digest, rs, id), null);
      }
      assert.equal(crypto.recoverSecp256k1(digest.subarray(1), rs, 0), null);
    }
  });

  test("the providers agree on any numbers", () => {
    const ids = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(bytes32, bytes32, bytes32, ids, (digest, r, s, recoveryId) => {
        const rs = concatBytes(r, s);
        const [noble, node] = PROVIDERS.map(([, crypto]) => crypto.recoverSecp256k1(digest, rs, recoveryId));
        assert.deepEqual(noble, node);
      }),
      { numRuns: 40 },
    );
  });

  test("ids 2 and 3 name the points whose x passed the group order", () => {
    // 7 + order is the x of two points and 7 of none; 8 is the x of two points and 8 + order of none.
    const recovered = (r: bigint): boolean[][] =>
      PROVIDERS.map(([, crypto]) =>
        [0, 1, 2, 3].map((id) => {
          const rs = concatBytes(number(r), number(1n));
          return crypto.recoverSecp256k1(number(7n), rs, id) !== null;
        }),
      );
    const beyond = [false, false, true, true];
    assert.deepEqual(recovered(7n), [beyond, beyond]);
    const below = [true, true, false, false];
    assert.deepEqual(recovered(8n), [below, below]);
  });

  test("the native signer makes the signatures of the portable one", () => {
    const native = createNodeSecp256k1Signer();
    fc.assert(
      fc.property(privateKeys, bytes32, (privateKey, digest) => {
        assert.deepEqual(native.sign(digest, privateKey), nobleSecp256k1Signer.sign(digest, privateKey));
        assert.deepEqual(native.publicKey(privateKey), nobleSecp256k1Signer.publicKey(privateKey));
      }),
      { numRuns: 20 },
    );
  });

  test("signatures are those of RFC 6979", () => {
    // Key 1 over SHA-256("Satoshi Nakamoto"): the vector shared by the libraries of this curve.
    const digest = nobleCrypto.sha256(utf8ToBytes("Satoshi Nakamoto"));
    assert.equal(
      bytesToHex(nobleSecp256k1Signer.sign(digest, number(1n)).rs),
      "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8" +
        "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5",
    );
  });
});
