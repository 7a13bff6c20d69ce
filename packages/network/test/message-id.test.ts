import assert from "node:assert/strict";
import { test } from "node:test";
import { messageIdOf } from "../src/index.ts";

const idOf = (data: Uint8Array): string => new TextDecoder().decode(messageIdOf(data));

test("ids are those that nodes of the existing network give", () => {
  for (const [text, id] of [
    ["", "13646096770106105413"],
    ["hello", "9754003402134539932"],
    ['{"a":1}', "17034156829674657847"],
  ] as const)
    assert.equal(idOf(new TextEncoder().encode(text)), id);
});

test("every length has an id of its own, also out of the middle of a buffer", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 251);
  const ids = new Set(Array.from({ length: 300 }, (_, length) => idOf(bytes.subarray(0, length))));
  assert.equal(ids.size, 300);
  assert.equal(idOf(bytes.subarray(3, 40)), idOf(bytes.slice(3, 40)));
});
