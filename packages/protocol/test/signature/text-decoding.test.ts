import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToHex } from "@noble/hashes/utils.js";
import { base58, base64 } from "@scure/base";
import fc from "fast-check";
import { decodeDerSignature, encodeDerSignature } from "../../src/signature/der-signature.ts";
import { decodeSs58, encodeSs58 } from "../../src/signature/ss58.ts";
import { decodeBase58, decodeBase64, decodeHex } from "../../src/signature/text-decoding.ts";

const hexOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : bytesToHex(bytes));

test("base64 is read as the reference's decoder reads it", () => {
  // Left: text; right: what b64decode of CPython 3.11 answers, null for an error.
  const cases: [string, string | null][] = [
    ["QUJD", "414243"],
    ["QUJD=", "414243"],
    ["ABC=", "0010"],
    ["=ABC=", "0010"],
    ["A\nBC=", "0010"],
    ["AB=C=", "0010"],
    ["AB==CD", "00"],
    ["AB= =", "00"],
    ["ABCD==", "001083"],
    ["ABCDEF==zz", "00108310"],
    ["ABCDEF=x=", "001083105c"],
    ["=", ""],
    ["", ""],
    ["AB=C", null],
    ["ABC", null],
    ["A", null],
    ["A=", null],
    ["A==", null],
    ["AB=", null],
    ["A=BC", null],
    ["AB-_", null],
    ["B=B=", null],
    ["AB=CDE==", null],
    ["AB==\u00e9", null],
  ];
  for (const [text, expected] of cases)
    assert.equal(hexOf(decodeBase64(text)), expected, JSON.stringify(text));
});

test("base64, base58 and hexadecimal give back what was written", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 90 }), (bytes) => {
      assert.deepEqual(decodeBase64(base64.encode(bytes)), bytes);
      assert.deepEqual(decodeBase58(base58.encode(bytes), bytes.length), bytes);
      assert.deepEqual(decodeHex(bytesToHex(bytes).toUpperCase()), bytes);
    }),
  );
});

test("base58 of another size, and hexadecimal with anything else in it, are refused", () => {
  assert.equal(decodeBase58(base58.encode(new Uint8Array(31).fill(9)), 32), null);
  assert.equal(decodeBase58(base58.encode(new Uint8Array(33).fill(9)), 32), null);
  for (const text of ["", "0", "O", "I", "l", "1 1", "é", "1".repeat(100_000)])
    assert.equal(decodeBase58(text, 32), null);
  for (const text of ["0", "0g", "0x", "é0", " 0", "@@", "``"]) assert.equal(decodeHex(text), null);
});

test("a DER signature gives back its numbers", () => {
  const numbers = fc.uint8Array({ minLength: 64, maxLength: 64 });
  const small = fc.tuple(fc.nat(300), fc.nat(300)).map(([r, s]) => {
    const rs = new Uint8Array(64);
    rs.set([r >> 8, r & 255], 30);
    rs.set([s >> 8, s & 255], 62);
    return rs;
  });
  fc.assert(
    fc.property(fc.oneof(numbers, small), (rs) => {
      assert.deepEqual(decodeDerSignature(encodeDerSignature(rs)), rs);
    }),
  );
});

test("DER that is not the shortest, or goes beyond its frame, is refused", () => {
  assert.ok(decodeDerSignature(Uint8Array.from([0x30, 6, 2, 1, 1, 2, 1, 1])));
  const refused = [
    [],
    [0x30],
    [0x31, 6, 2, 1, 1, 2, 1, 1],
    [0x30, 7, 2, 1, 1, 2, 1, 1],
    [0x30, 5, 2, 1, 1, 2, 1, 1],
    [0x30, 6, 2, 1, 1, 2, 1, 1, 0],
    [0x30, 7, 2, 1, 1, 2, 1, 1, 0],
    [0x30, 6, 3, 1, 1, 2, 1, 1],
    [0x30, 6, 2, 1, 0x81, 2, 1, 1],
    [0x30, 7, 2, 2, 0, 1, 2, 1, 1],
    [0x30, 5, 2, 0, 2, 1, 1],
    [0x30, 6, 2, 1, 1, 2, 2, 1],
    [0x30, 0x81, 6, 2, 1, 1, 2, 1, 1],
    [0x30, 38, 2, 33, ...new Array<number>(33).fill(1), 2, 1, 1],
    [0x30, 3, 2, 1, 1],
  ];
  for (const bytes of refused) assert.equal(decodeDerSignature(Uint8Array.from(bytes)), null, String(bytes));
});

test("SS58 addresses of all prefixes give back the key; other lengths and checksums are refused", () => {
  const key = new Uint8Array(32).fill(3);
  for (const prefix of [0, 2, 42, 63, 64, 255, 256, 1284, 16_383]) {
    assert.deepEqual(decodeSs58(encodeSs58(key, prefix)), key, String(prefix));
  }
  const address = encodeSs58(key, 42);
  const last = address.endsWith("1") ? "2" : "1";
  assert.equal(decodeSs58(address.slice(0, -1) + last), null);
  assert.equal(decodeSs58(encodeSs58(key.subarray(1), 42)), null);
  assert.equal(decodeSs58(""), null);
  // The published address of a key of zeros on the Polkadot network.
  assert.equal(encodeSs58(new Uint8Array(32), 0), "111111111111111111111111111111111HC1");
});
