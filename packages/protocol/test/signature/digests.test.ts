import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToHex } from "@noble/hashes/utils.js";
import { avalancheDigest } from "../../src/signature/avalanche.ts";
import { cosmosSignedBytes } from "../../src/signature/cosmos.ts";
import { evmDigest } from "../../src/signature/evm.ts";
import { nobleCrypto } from "../../src/signature/noble-crypto.ts";
import { nulsPrintableSignedBytes, nulsSignedBytes } from "../../src/signature/nuls-message.ts";
import { michelineSignedBytes, tezosDigest } from "../../src/signature/tezos-message.ts";
import { verificationBuffer } from "../../src/signature/verification-buffer.ts";
import { PROVIDERS, vector } from "./vectors.ts";

test("the verification buffer joins four fields with line feeds", () => {
  const itemHash = "7e4f914865028356704919810073ec5690ecc4bb0ee3bd6bdb24829fd532398f";
  const buffer = verificationBuffer({ chain: "ETH", sender: "SENDER", type: "STORE", itemHash });
  assert.equal(new TextDecoder().decode(buffer), `ETH\nSENDER\nSTORE\n${itemHash}`);
});

for (const [name, crypto] of PROVIDERS) {
  test(`ETH digest, ${name}`, () => {
    const buffer = verificationBuffer(vector("ETH", "f524a258"));
    assert.equal(buffer.length, 116);
    assert.equal(
      bytesToHex(evmDigest(buffer, crypto)),
      "974f8387ad3891ada34d5cf717518f99ee17e1e878ebc95f5360350573360e36",
    );
  });

  test(`CSDK document and digest, ${name}`, () => {
    const signed = cosmosSignedBytes(vector("CSDK", "9c7136fe"));
    assert.equal(signed.length, 352);
    assert.equal(
      bytesToHex(crypto.sha256(signed)),
      "6c59ac1cdb61fc57da30351c5c3a63f1bdc36139f2b4d61d248e7703007624af",
    );
  });

  test(`AVAX digest, ${name}`, () => {
    const buffer = verificationBuffer(vector("AVAX", "3c4d948a"));
    assert.equal(buffer.length, 120);
    assert.equal(
      bytesToHex(avalancheDigest(buffer, crypto)),
      "9eb0c9e0b997cf2eb3190c1102cc2c164c0098e3e2eadeede9efb70015a085d2",
    );
  });

  test(`NULS and NULS2 digests, ${name}`, () => {
    const nuls = nulsSignedBytes(verificationBuffer(vector("NULS", "84afd848")));
    assert.equal(nuls.length, 135);
    assert.equal(
      bytesToHex(crypto.sha256(nuls)),
      "df39242e9a6f7b4064d67c8878d7aad06b525ad179ce25754721ea2ab0fffc72",
    );
    const nuls2 = nulsSignedBytes(verificationBuffer(vector("NULS2", "43094c33")));
    assert.equal(nuls2.length, 136);
    assert.equal(
      bytesToHex(crypto.sha256(nuls2)),
      "1a70475d4a5548df560918f7a1be7f76d9f37028ddf69615dc54ae8276b6b570",
    );
  });
}

test("TEZOS digests, raw and micheline", () => {
  const raw = verificationBuffer(vector("TEZOS", "41de1a77"));
  assert.equal(raw.length, 112);
  assert.equal(
    bytesToHex(tezosDigest(raw)),
    "926e47de69408c0f6fd802fe417e81d496b18a04bdbe6cd9eb5e89599ad9c842",
  );
  const fields = vector("TEZOS", "72b2722b");
  const { dAppUrl = "aleph.im" } = JSON.parse(fields.signature) as { dAppUrl?: string };
  const signed = michelineSignedBytes(verificationBuffer(fields), fields.timeMicros, dAppUrl);
  assert.ok(signed);
  assert.equal(signed.length, 174);
  assert.equal(
    bytesToHex(tezosDigest(signed)),
    "bdf16b0da3576c52a568d06007055bb1247dd995146a99e783d59609a2a7cba6",
  );
});

test("the micheline time is in UTC, rounded down to milliseconds, before 1970 too", () => {
  const timeOf = (timeMicros: bigint): string | undefined =>
    new TextDecoder()
      .decode(michelineSignedBytes(new Uint8Array(), timeMicros, "app") ?? new Uint8Array())
      .match(/app (\S+) $/)?.[1];
  assert.equal(timeOf(1_663_944_079_029_999n), "2022-09-23T14:41:19.029Z");
  assert.equal(timeOf(-1n), "1969-12-31T23:59:59.999Z");
  assert.equal(timeOf(-62_135_596_800_000_000n), "0001-01-01T00:00:00.000Z");
  assert.equal(timeOf(253_402_300_799_999_999n), "9999-12-31T23:59:59.999Z");
  assert.equal(timeOf(253_402_300_800_000_000n), undefined);
  assert.equal(timeOf(-62_135_596_800_000_001n), undefined);
});

test("the NULS printable form is that of a Python byte string", () => {
  const printable = (text: string): string =>
    new TextDecoder().decode(nulsPrintableSignedBytes(new TextEncoder().encode(text))).slice(22);
  // Expected texts: repr() of the same bytes in CPython, their length byte in front.
  assert.equal(printable("NULS\nA"), "b'\\x06NULS\\nA'");
  assert.equal(printable("it's"), `b"\\x04it's"`);
  assert.equal(printable(`it's "b"`), `b'\\x08it\\'s "b"'`);
  assert.equal(printable(`"b"`), `b'\\x03"b"'`);
  assert.equal(printable("a\\\t\r\x7f\u00e9"), "b'\\x07a\\\\\\t\\r\\x7f\\xc3\\xa9'");
});

test("the Cosmos document escapes everything outside printable ASCII", () => {
  const signed = cosmosSignedBytes({ chain: "CSDK", sender: "é\u007f😀", type: "POST", itemHash: '"' });
  const text = new TextDecoder().decode(signed);
  assert.ok(text.includes('"message":"CSDK\\n\\u00e9\\u007f\\ud83d\\ude00\\nPOST\\n\\""'));
});

test("the digest functions of both providers agree with the shared test of their standards", () => {
  for (const [, crypto] of PROVIDERS) {
    const abc = new TextEncoder().encode("abc");
    assert.equal(
      bytesToHex(crypto.sha256(abc)),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    assert.equal(
      bytesToHex(crypto.keccak256(abc)),
      "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
    );
  }
  assert.equal(nobleCrypto.implementation.secp256k1, "noble");
});
