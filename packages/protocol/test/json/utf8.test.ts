import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeUtf8, encodeUtf8 } from "../../src/index.ts";

test("bytes that are not UTF-8 give null", () => {
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80]]) {
    assert.equal(decodeUtf8(Uint8Array.from(bytes)), null);
  }
});

test("text survives, and a byte order mark is not swallowed", () => {
  for (const text of ["", "é😀\u0000", "\ufeff{}"]) assert.equal(decodeUtf8(encodeUtf8(text)), text);
});
