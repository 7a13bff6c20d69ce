import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isFloatMember, type JsonValue, parseJson, stringifyJson } from "../../src/index.ts";
import { isPlainJsonText } from "../../src/json/plain-scan.ts";
import { parseStrictJson } from "../../src/json/strict-parser.ts";

function decoded(text: string): JsonValue {
  const result = parseJson(text);
  assert.ok(result.ok, `${text.slice(0, 80)}: ${result.ok ? "" : result.reason}`);
  return result.value;
}

const REFUSED = [
  "",
  "  ",
  "\ufeff{}",
  "NaN",
  "-Infinity",
  "01",
  "-01",
  "1.",
  ".5",
  "-",
  "+1",
  "1e",
  "0x10",
  "[1,]",
  '{"a":1,}',
  "{'a':1}",
  "{a:1}",
  '{"a" 1}',
  "[1 2]",
  '"a\nb"',
  '"\u0000"',
  '"\\x41"',
  '"\\u12g4"',
  '"\\u12',
  '"abc',
  '"\\ud800"',
  '"\\udc00"',
  '"\\udc00\\ud800"',
  '"\\ud800\\u0041"',
  '"\ud800"',
  "1e400",
  "-1e400",
  "1".repeat(400),
  "tru",
  "nul",
  "1 2",
  "\v1",
  "[",
  "]",
  "{}}",
];

test("texts outside RFC 8259 or beyond a double are refused", () => {
  for (const text of REFUSED) assert.equal(parseJson(text).ok, false, JSON.stringify(text.slice(0, 40)));
});

test("a refusal names the place", () => {
  assert.deepEqual(parseJson('{"a":tru}'), { ok: false, reason: "not a JSON value", offset: 5 });
});

test("nesting is accepted to 1024 levels and refused beyond", () => {
  for (const [open, close] of [
    ["[", "]"],
    ['{"a":', "}"],
  ] as const) {
    assert.equal(parseJson(`${open.repeat(1023)}[]${close.repeat(1023)}`).ok, true);
    assert.equal(parseJson(`${open.repeat(1024)}[]${close.repeat(1024)}`).ok, false);
  }
  assert.equal(parseJson(`[${"[],".repeat(3000)}1]`).ok, true, "breadth is free");
});

test("integers are exact to 64 bits, larger ones become doubles", () => {
  assert.equal(decoded("9007199254740991"), 9007199254740991);
  assert.equal(decoded("9007199254740993"), 9007199254740993n);
  assert.equal(decoded("18446744073709551615"), 18446744073709551615n);
  assert.equal(decoded("18446744073709551616"), 2 ** 64);
  assert.equal(decoded("-9223372036854775808"), -9223372036854775808n);
  assert.equal(decoded("-9223372036854775809"), -(2 ** 63));
  assert.ok(Object.is(decoded("-0"), 0));
  assert.ok(Object.is(decoded("-0.0"), -0));
  assert.equal(decoded("1e-400"), 0);
});

test("the last of duplicate keys wins, also for the kind of number", () => {
  assert.deepEqual(decoded('{"a":1,"b":2,"a":3}'), { a: 3, b: 2 });
  assert.equal(isFloatMember(decoded('{"a":1.0,"a":1}') as object, "a"), false);
  assert.equal(isFloatMember(decoded('{"a":1,"a":1.0}') as object, "a"), true);
});

test("a float of integral value is told from an integer", () => {
  const text =
    '{"a":2.0,"b":2,"c":1e3,"d":2.5,"e":[3,3.0],"f":18446744073709551616,"g":1730410918.0000000001}';
  const object = decoded(text) as Record<string, object>;
  const floats = ["a", "b", "c", "d", "f", "g"].filter((key) => isFloatMember(object, key));
  assert.deepEqual(floats, ["a", "c", "d", "f", "g"]);
  assert.deepEqual([isFloatMember(object.e ?? [], 0), isFloatMember(object.e ?? [], 1)], [false, true]);
  assert.equal(stringifyJson(object as JsonValue & object).slice(0, 30), '{"a":2.0,"b":2,"c":1000.0,"d":');
});

test("a key named __proto__ is a member like any other, on both paths", () => {
  for (const text of ['{"__proto__":{"admin":true}}', '{"__proto__":{"admin":true,"x":1e0}}']) {
    const object = decoded(text) as Record<string, JsonValue>;
    assert.deepEqual(Object.keys(object), ["__proto__"]);
    assert.equal(object.admin, undefined);
    assert.equal(Object.getPrototypeOf(object), Object.prototype);
  }
});

/** Pieces from which nearly valid texts are put together. */
const piece = fc.constantFrom(
  ..."{}[],:".split(""),
  '"a"',
  '"b\\n"',
  '"\\ud83d\\ude00"',
  '"\\ud800"',
  '"\\u00e9"',
  '"\\\\u0000"',
  '"__proto__"',
  "1",
  "-0",
  "0.5",
  "1.99",
  "12.0",
  "1e5",
  "123456789012345",
  "1234567890123456",
  "9007199254740993",
  "true",
  "null",
  " ",
  "\t",
  "01",
  "-",
  "\\",
  '"',
);

test("the fast path and the strict parser agree wherever the fast path is taken", () => {
  let fastPaths = 0;
  const agree = (text: string) => {
    if (!isPlainJsonText(text)) return;
    fastPaths += 1;
    const strict = parseStrictJson(text);
    let native: { value: unknown } | null = null;
    try {
      native = { value: JSON.parse(text) };
    } catch {
      // Refused by the platform: the strict parser must refuse too.
    }
    assert.deepEqual(strict.ok ? { value: strict.value } : null, native, text);
    if (strict.ok) assertNoIntegralFloat(strict.value, text);
  };
  fc.assert(fc.property(fc.json({ maxDepth: 4 }), agree), { numRuns: 2000 });
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join("")),
      agree,
    ),
    {
      numRuns: 5000,
    },
  );
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: 0, max: 15 }),
      (x, n) => agree(`{"t":${Math.abs(x) < 1e15 ? x.toFixed(n) : x}}`),
    ),
    { numRuns: 2000 },
  );
  assert.ok(fastPaths > 1000, `only ${fastPaths} texts took the fast path`);
});

function assertNoIntegralFloat(value: JsonValue, text: string): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (Number.isInteger(member)) assert.equal(isFloatMember(value, key), false, text);
    assertNoIntegralFloat(member as JsonValue, text);
  }
}

test("any value survives writing and reading", () => {
  const value = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
      fc.constantFrom(null, true, false),
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        // An integer beyond 2^53 comes back as the bigint of its digits, zero without its sign.
        .map((number) => (Number.isInteger(number) && !Number.isSafeInteger(number) ? 0.5 : number + 0)),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
      fc.array(tie("value")),
      fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), tie("value")).map((dictionary) => ({
        ...dictionary,
      })),
    ) as fc.Arbitrary<JsonValue>,
  })).value;
  fc.assert(
    fc.property(value, (original) => {
      assert.deepEqual(decoded(stringifyJson(original)), original);
    }),
  );
});

test("writing and reading settles after one round, for every double", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })), (numbers) => {
      const once = decoded(stringifyJson(numbers));
      const twice = decoded(stringifyJson(once));
      assert.deepEqual(twice, once);
      assert.equal(stringifyJson(twice), stringifyJson(once));
    }),
  );
});
