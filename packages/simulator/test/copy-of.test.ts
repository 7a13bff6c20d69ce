import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { copyOf } from "../src/threads/copy-of.ts";

describe("a message between two simulated threads", () => {
  test("arrives as structuredClone would give it, and shares nothing with what was sent", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const sent = {
      text: "a",
      big: 2n ** 60n,
      none: undefined,
      list: [null, { bytes, view: Buffer.from("view") }],
      map: new Map([["key", new Set([1])]]),
      error: new RangeError("too far"),
      at: new Date(0),
      ["__proto__"]: 1,
    };
    const copy = copyOf(sent);
    assert.deepEqual(copy, structuredClone(sent));
    bytes[0] = 9;
    assert.deepEqual((copy as typeof sent).list[1], {
      bytes: new Uint8Array([1, 2, 3]),
      view: new Uint8Array(Buffer.from("view")),
    });
  });

  test("cannot hold what no thread can be sent", () => {
    assert.throws(() => copyOf({ call: () => undefined }), { name: "DataCloneError" });
    assert.throws(() => copyOf([Symbol("a")]), { name: "DataCloneError" });
  });
});
