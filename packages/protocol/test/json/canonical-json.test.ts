import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  canonicaliseJsonText,
  compareCodePoints,
  type JsonValue,
  parseJson,
  sliceElements,
  sliceMember,
  sliceMembers,
  stringifyCanonicalJson,
} from "../../src/index.ts";

function canonical(text: string): string {
  const result = canonicaliseJsonText(text);
  assert.ok(result.ok);
  return result.text;
}

test("keys are sorted by code point at every level", () => {
  assert.equal(stringifyCanonicalJson({ b: [{ z: 1, a: 2 }], a: null }), '{"a":null,"b":[{"a":2,"z":1}]}');
  assert.ok(compareCodePoints("\u{1f600}", "\uff5e") > 0, "a supplementary character comes after U+FF5E");
  assert.equal(stringifyCanonicalJson({ "\u{1f600}": 1, "\uff5e": 2 }), '{"\uff5e":2,"\u{1f600}":1}');
});

test("a canonical text keeps every digit of its numbers", () => {
  assert.equal(
    canonical(' { "b" : 1.50 , "a" : [ 1e2 , 123456789012345678901234567890 , -0 , true ] , "b" : 2.0 } '),
    '{"a":[1e2,123456789012345678901234567890,-0,true],"b":2.0}',
  );
  assert.equal(canonical('"\\u0041\\/\\u00e9\\u001f"'), '"A/é\\u001f"');
  assert.equal(canonical("[ ]"), "[]");
  assert.equal(canonical(' {"a":{ },"":[ [ ] ]}'), '{"":[[]],"a":{}}');
});

test("bad text is not canonicalised", () => {
  assert.deepEqual(canonicaliseJsonText("[1,]"), { ok: false, reason: "not a JSON value", offset: 3 });
});

const jsonText = fc.json({ maxDepth: 4 });

test("the canonical text says the same, does not change again, and ignores the order of keys", () => {
  fc.assert(
    fc.property(jsonText, fc.integer({ min: 0, max: 3 }), (text, indent) => {
      const once = canonical(text);
      assert.deepEqual(JSON.parse(once), JSON.parse(text));
      assert.equal(canonical(once), once);
      const reversed = JSON.stringify(reverseKeys(JSON.parse(text)), null, indent);
      assert.equal(canonical(reversed), canonical(JSON.stringify(JSON.parse(text))));
    }),
    { numRuns: 500 },
  );
});

test("the canonical text of a value does not depend on the order of its keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = value as JsonValue;
      assert.equal(stringifyCanonicalJson(reverseKeys(json)), stringifyCanonicalJson(json));
    }),
  );
});

function reverseKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reverseKeys(member)]),
  );
}

test("members are found in the raw text", () => {
  const text = ' { "a\\u0062" : 1.50 , "t":"x\\\\\\"}", "__proto__" : [ {"}":"]"} ] ,"t" : {"u" : null} } ';
  assert.equal(sliceMember(text, "ab"), "1.50");
  assert.equal(sliceMember(text, "__proto__"), '[ {"}":"]"} ]');
  assert.equal(sliceMember(text, "t"), '{"u" : null}', "the last of duplicates");
  assert.equal(sliceMember(text, "constructor"), undefined);
  assert.deepEqual([...sliceMembers("{}").keys()], []);
  assert.deepEqual(
    sliceElements(' [ 1.0 , "a,]" , [ 2 ],{} ] ').map(({ start, end }) =>
      ' [ 1.0 , "a,]" , [ 2 ],{} ] '.slice(start, end),
    ),
    ["1.0", '"a,]"', "[ 2 ]", "{}"],
  );
  assert.deepEqual(sliceElements("[]"), []);
});

test("every member's raw text decodes to the member", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()),
      fc.nat(2),
      (object, indent) => {
        const text = JSON.stringify(object, null, indent);
        const value = parseJson(text);
        assert.ok(value.ok);
        const members = sliceMembers(text);
        assert.deepEqual(new Set(members.keys()), new Set(Object.keys(object)));
        for (const [key, { start, end }] of members) {
          assert.deepEqual(JSON.parse(text.slice(start, end)), JSON.parse(JSON.stringify(object[key])));
        }
      },
    ),
  );
});
