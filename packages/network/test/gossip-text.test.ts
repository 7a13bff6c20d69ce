import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeGossip, encodeGossip } from "../src/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** As a node of the existing network reads it: `urllib.parse.unquote` of the bytes. */
function asTheReferenceReads(data: Uint8Array): string {
  const out: number[] = [];
  for (let at = 0; at < data.length; at += 1) {
    const hex = String.fromCharCode(data[at + 1] ?? 0, data[at + 2] ?? 0);
    if (data[at] === 0x25 && /^[0-9a-fA-F]{2}$/.test(hex)) {
      out.push(Number.parseInt(hex, 16));
      at += 2;
    } else out.push(data[at] ?? 0);
  }
  return new TextDecoder().decode(Uint8Array.from(out));
}

test("what is published reads the same here and in the existing network", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom("%", "2", "5", "0", "A", '"', "é") }),
  );
  fc.assert(
    fc.property(
      text.filter((one) => one.isWellFormed()),
      (one) => {
        const data = encodeGossip(one);
        assert.equal(asTheReferenceReads(data), one);
        assert.equal(decodeGossip(data)[0], one);
      },
    ),
  );
});

test("what others publish without escapes is tried as it is, and with its escapes undone", () => {
  assert.deepEqual(decodeGossip(bytes("plain")), ["plain"]);
  assert.deepEqual(decodeGossip(bytes("a%20b")), ["a%20b", "a b"]);
  assert.deepEqual(decodeGossip(bytes("100%")), ["100%"]);
  assert.deepEqual(decodeGossip(bytes("a%2520b")), ["a%20b", "a%2520b"]);
  assert.deepEqual(decodeGossip(bytes("%ff")), ["%ff"], "what is undone is no text");
  assert.deepEqual(decodeGossip(Uint8Array.of(0xff, 0xfe)), []);
});
