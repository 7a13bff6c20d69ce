import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeItemHash,
  encodeItemHash,
  isItemHash,
  itemTypeOfHash,
  looseItemTypeOfHash,
  sha256OfText,
} from "../../src/index.ts";

const SHA = "7e4f914865028356704919810073ec5690ecc4bb0ee3bd6bdb24829fd532398f";
const CID_V0 = "QmaMLRsvmDRCezZe2iebcKWtEzKNjBaQfwcu7mcpdm8eY2";
const CID_V1 = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
const CID_V1_CBOR = "bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje";
const CID_V1_RAW = "bafkreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje";

test("the shape of a hash gives its engine", () => {
  assert.equal(itemTypeOfHash(SHA), "storage");
  assert.equal(itemTypeOfHash(CID_V0), "ipfs");
  assert.equal(itemTypeOfHash(CID_V0.slice(0, 44)), "ipfs");
  assert.equal(itemTypeOfHash(CID_V1), "ipfs");
  assert.equal(itemTypeOfHash(CID_V1_CBOR), "ipfs");
});

test("anything else is not an item hash", () => {
  for (const text of [
    "",
    "deadbeef",
    SHA.toUpperCase(),
    `${SHA}0`,
    SHA.slice(1),
    `${SHA}\n`,
    `${"0".repeat(63)}g`,
    CID_V0.slice(0, 43),
    `${CID_V0}1`,
    `${CID_V0.slice(0, 45)}0`,
    `${CID_V0.slice(0, 45)}l`,
    CID_V0.replace("Qm", "Qn"),
    `${CID_V1.slice(0, 58)}1`,
    `${CID_V1}a`,
    CID_V1.toUpperCase(),
    CID_V1_RAW,
  ]) {
    assert.equal(isItemHash(text), false, text);
  }
});

test("the envelope test of reference nodes looks at lengths only", () => {
  assert.equal(looseItemTypeOfHash("é".repeat(64)), "storage");
  assert.equal(looseItemTypeOfHash(`Qm${"0".repeat(42)}`), "ipfs");
  assert.equal(looseItemTypeOfHash(`bafy${"!".repeat(55)}`), "ipfs");
  assert.equal(looseItemTypeOfHash("deadbeef"), null);
  for (const hash of [SHA, CID_V0, CID_V1]) assert.equal(looseItemTypeOfHash(hash), itemTypeOfHash(hash));
});

test("switch anyCidV1: off refuses other codecs, on accepts every canonical CIDv1 in base32", () => {
  assert.equal(itemTypeOfHash(CID_V1_RAW, { anyCidV1: false }), null);
  assert.equal(itemTypeOfHash(CID_V1_RAW, { anyCidV1: true }), "ipfs");
  for (const text of [
    "b",
    "bafk",
    CID_V1_RAW.slice(0, 57),
    `${CID_V1_RAW}aa`,
    `${CID_V1_RAW.slice(0, 58)}f`,
    "zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA",
    `b${"a".repeat(200)}`,
  ]) {
    assert.equal(itemTypeOfHash(text, { anyCidV1: true }), null, text);
  }
});

test("the binary form has the length of the digest and comes back as the same text", () => {
  assert.equal(encodeItemHash(SHA).length, 32);
  assert.equal(encodeItemHash(CID_V0).length, 34);
  assert.equal(encodeItemHash(CID_V1).length, 36);
  assert.deepEqual([...encodeItemHash(CID_V1).subarray(0, 4)], [1, 0x70, 0x12, 0x20]);
  assert.equal(encodeItemHash(CID_V0.slice(0, 44))[0], 0xff);
  for (const hash of [SHA, CID_V0, CID_V1, CID_V1_CBOR, CID_V1_RAW]) {
    assert.equal(decodeItemHash(encodeItemHash(hash)), hash);
  }
});

function textOver(alphabet: string, minLength: number, maxLength = minLength): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
}

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const anyItemHash = fc.oneof(
  textOver("0123456789abcdef", 64),
  textOver(BASE58, 42, 44).map((rest) => `Qm${rest}`),
  textOver("abcdefghijklmnopqrstuvwxyz234567", 55).map((rest) => `bafy${rest}`),
);

test("every item hash has one binary form, and no two share one", () => {
  fc.assert(
    fc.property(anyItemHash, (hash) => {
      assert.ok(isItemHash(hash));
      assert.equal(decodeItemHash(encodeItemHash(hash)), hash);
    }),
    { numRuns: 1000 },
  );
});

test("foreign bytes are no item hash", () => {
  assert.throws(() => decodeItemHash(new Uint8Array(33)), RangeError);
  assert.throws(() => decodeItemHash(Uint8Array.from([0xff, 0xff])), RangeError);
});

test("the hash of a text is over its UTF-8 bytes", () => {
  // Source: pyaleph smart-contract reader, event STORE_IPFS.
  const content =
    '{"address": "KT1VBeLD7hzKpj17aRJ3Kc6QQFeikCEXi7W6", "time": 1668611900.0, "item_type": "ipfs", "item_hash": "QmaMLRsvmDRCezZe2iebcKWtEzKNjBaQfwcu7mcpdm8eY2"}';
  assert.equal(sha256OfText(content), "1eb440938336b13e7e4ad3f9ebea6de8dbf7fcbdba4c8861ea0a4f70e19e777d");
  assert.equal(sha256OfText("é"), "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c");
});
