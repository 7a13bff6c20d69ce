import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonObject, type JsonValue, parseJson } from "@twentysix/protocol";
import fc from "fast-check";
import { contentText } from "../src/messages/content-text.ts";
import { withCode } from "./support/samples.ts";

/** Any JSON a node takes, with texts that look like URLs. */
const text = fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true }), fc.constant("100%25 %zz %4F"));
const { content } = fc.letrec<{ content: JsonObject; value: JsonValue }>((tie) => ({
  content: fc.dictionary(
    text.filter((key) => key !== "__proto__"),
    tie("value"),
    { maxKeys: 4 },
  ),
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.integer(),
    // A double that is an integer of 2^53 or more comes back as the bigint of its digits.
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((number) => !Number.isInteger(number) || Number.isSafeInteger(number)),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("content"),
  ),
}));

test("a content survives the way through JSON exactly", () => {
  fc.assert(
    fc.property(content, (value) => {
      fc.pre(!JSON.stringify(value, bigintsAsText).includes("\\u0000"));
      const parsed = parseJson(contentText(value));
      assert.ok(parsed.ok);
      assert.equal(JSON.stringify(parsed.value, bigintsAsText), JSON.stringify(value, bigintsAsText));
    }),
  );
});

test("a node that URL-decodes what it receives finds nothing to decode", () => {
  fc.assert(
    fc.property(content, (value) => {
      fc.pre(!JSON.stringify(value, bigintsAsText).includes("\\u0000"));
      assert.doesNotMatch(contentText(value), /%[0-9a-fA-F]{2}/);
    }),
  );
  assert.equal(contentText({ url: "a%20b%2fc 5% %g1" }), '{"url":"a\\u002520b\\u00252fc 5% %g1"}');
});

test("integers of 64 bits keep every digit", () => {
  assert.equal(contentText({ id: 18446744073709551615n }), '{"id":18446744073709551615}');
});

const refused: readonly [string, JsonObject][] = [
  ["a NUL character", { body: "a\u0000b" }],
  ["a NUL character in a key", { "a\u0000": 1 }],
  ["the six characters of a NUL escape", { body: "\\u0000" }],
  ["a lone surrogate", { body: "\ud800" }],
  ["an infinite number", { value: Number.POSITIVE_INFINITY }],
  ["a number that is none", { value: Number.NaN }],
  ["more than 1024 levels", nested(1025)],
];
for (const [what, value] of refused) {
  test(`${what} is refused before it is sent`, () => {
    assert.throws(() => contentText(value), withCode("SDK_INVALID_INPUT"));
  });
}

function nested(levels: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 1; level < levels; level += 1) value = { value };
  return value;
}

function bigintsAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value === 0 ? 0 : value;
}
