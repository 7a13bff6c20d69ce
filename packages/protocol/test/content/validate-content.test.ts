import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type JsonValue,
  type MessageType,
  parseJson,
  stringifyJson,
  validateContent,
} from "../../src/index.ts";
import { accepted, problemsOf, problemsOfValue, refused } from "../support/content-problems.ts";
import { CHAIN_REF_POST, CID, PROGRAM, SAMPLES, SHA, STORE, VARIANTS } from "../support/content-samples.ts";

test("the examples of every type are accepted, whatever the order of their keys", () => {
  for (const [type, samples] of Object.entries(VARIANTS)) {
    for (const sample of samples) {
      accepted(type as MessageType, sample);
      accepted(type as MessageType, Object.fromEntries(Object.entries(sample).reverse()));
    }
  }
});

test("every type wants an object with address and time, and all but STORE refuse other keys", () => {
  for (const [name, sample] of Object.entries(SAMPLES)) {
    const type = name as MessageType;
    const { address: _address, time: _time, ...rest } = sample;
    assert.deepEqual(problemsOf(type, rest), ["address: missing", "time: missing"]);
    for (const value of [null, 1, "x", []]) {
      assert.deepEqual(problemsOfValue(type, value as JsonValue), [": model_type"]);
    }
    const withExtra = { ...sample, mime_type: "text/html", tags: undefined };
    if (type === "STORE") accepted(type, withExtra);
    else refused(type, withExtra, "mime_type: extra_forbidden");
  }
});

test("a key named __proto__ is a key like any other", () => {
  for (const name of Object.keys(SAMPLES)) {
    const text = JSON.stringify(SAMPLES[name as keyof typeof SAMPLES]).replace("{", '{"__proto__":{"a":1},');
    const parsed = parseJson(text);
    assert.ok(parsed.ok);
    const problems = problemsOfValue(name as MessageType, parsed.value);
    assert.deepEqual(problems, name === "STORE" ? [] : ["__proto__: extra_forbidden"]);
  }
});

test("content.time is a number from 0 to 9223372036; a text is refused", () => {
  for (const time of [0, 9223372036, 1.5, true]) accepted("FORGET", { ...SAMPLES.FORGET, time });
  refused("FORGET", { ...SAMPLES.FORGET, time: -0.1 }, "time: greater_than_equal");
  refused("FORGET", { ...SAMPLES.FORGET, time: 9223372036.5 }, "time: less_than_equal");
  refused("FORGET", { ...SAMPLES.FORGET, time: "1730410918" }, "time: float_type");
  refused("FORGET", { ...SAMPLES.FORGET, time: null }, "time: float_type");
});

test("an error repeats the value when it is small, and says what was expected", () => {
  const result = validateContent("STORE", { ...STORE, size: "many" });
  assert.ok(!result.ok);
  assert.deepEqual(result.errors, [
    {
      type: "int_parsing",
      loc: ["content", "size"],
      msg: "Input should be a valid integer, unable to parse string as an integer",
      input: "many",
    },
  ]);
  const large = validateContent("STORE", { ...STORE, item_hash: "x".repeat(10_000) });
  assert.ok(!large.ok);
  assert.equal("input" in (large.errors[0] ?? {}), false);
});

test("the result has the defaults and not the keys that the schema ignores", () => {
  const result = validateContent("STORE", { ...STORE, mime_type: "x", size: "1_000" });
  assert.ok(result.ok);
  assert.deepEqual(result.content, {
    ...STORE,
    size: 1000,
    content_type: null,
    tags: null,
    metadata: null,
    payment: { chain: null, receiver: null, type: "credit" },
  });
  const { volumes: _volumes, payment: _payment, ...plain } = PROGRAM;
  const program = validateContent("PROGRAM", { ...plain, resources: {} });
  assert.ok(program.ok);
  assert.deepEqual(program.content.resources, { vcpus: 1, memory: 128, seconds: 1, published_ports: null });
  assert.deepEqual([program.content.volumes, program.content.payment], [[], null]);
});

test("integers are coerced from what means one integer", () => {
  const vcpus = (value: unknown) => ({ ...PROGRAM, resources: { vcpus: value } });
  for (const value of [2, 2.0, "2", "2.0", " 2 ", "+2", "002", "1_0", true, "\u00a02"]) {
    accepted("PROGRAM", vcpus(value));
  }
  for (const value of ["0x2", "1e3", "2.", "", "2.5", "1__0", "_1", "- 1", "\ufeff2"]) {
    refused("PROGRAM", vcpus(value), "resources.vcpus: int_parsing");
  }
  refused("PROGRAM", vcpus(2.5), "resources.vcpus: int_from_float");
  refused("PROGRAM", vcpus(null), "resources.vcpus: int_type");
  refused("PROGRAM", vcpus(0), "resources.vcpus: greater_than_equal");
  refused("PROGRAM", vcpus(257), "resources.vcpus: less_than_equal");
});

test("booleans are coerced from numbers and words", () => {
  const flag = (value: unknown) => ({ ...PROGRAM, allow_amend: value });
  for (const value of [true, 1, 0, "true", "T", "Yes", "y", "ON", "1", "false", "f", "no", "N", "off", "0"]) {
    accepted("PROGRAM", flag(value));
  }
  for (const value of [2, " true", "", "maybe"]) refused("PROGRAM", flag(value), "allow_amend: bool_parsing");
  for (const value of [0.5, null, []]) refused("PROGRAM", flag(value), "allow_amend: bool_type");
});

test("STORE: engine and hash agree, payment is hold or credit", () => {
  accepted("STORE", { ...STORE, item_type: "ipfs", item_hash: CID });
  for (const item_type of ["ipfs", "inline"]) refused("STORE", { ...STORE, item_type }, ": value_error");
  refused("STORE", { ...STORE, item_hash: "deadbeef" }, "item_hash: value_error");
  accepted("STORE", { ...STORE, payment: null });
  refused("STORE", { ...STORE, payment: { type: "superfluid" } }, ": value_error");
  refused("STORE", { ...STORE, payment: { chain: "ETH" } }, "payment.type: missing");
});

test("tags: at most 16 texts of 1 to 256 characters, where the type has them", () => {
  const sixteen = Array(16).fill("😀".repeat(256));
  for (const tags of [null, [], sixteen]) {
    accepted("POST", { ...CHAIN_REF_POST, content: { tags } });
    accepted("AGGREGATE", { ...SAMPLES.AGGREGATE, content: { tags } });
    accepted("STORE", { ...STORE, tags });
  }
  for (const tags of [[...sixteen, "x"], [""], ["x".repeat(257)], [1], "x", {}]) {
    assert.equal(problemsOf("POST", { ...CHAIN_REF_POST, content: { tags } }).length, 1);
    assert.equal(problemsOf("STORE", { ...STORE, tags }).length, 1);
    assert.equal(problemsOf("PROGRAM", { ...PROGRAM, metadata: { tags } }).length, 1);
  }
  accepted("POST", { ...CHAIN_REF_POST, content: ["no object, no check", { tags: 1 }] });
  refused("POST", { ...CHAIN_REF_POST, tags: ["x"] }, "tags: extra_forbidden");
});

test("POST: an amend needs a ref", () => {
  for (const ref of [undefined, null, ""]) refused("POST", { ...SAMPLES.POST, ref }, ": value_error");
  accepted("POST", { ...SAMPLES.POST, ref: undefined, type: "note" });
  accepted("POST", { ...SAMPLES.POST, ref: "any text" });
  assert.equal(problemsOf("POST", { ...SAMPLES.POST, ref: { item_hash: SHA } }).length > 0, true);
});

test("AGGREGATE: the key is a text or names one, the content is an object", () => {
  accepted("AGGREGATE", { ...SAMPLES.AGGREGATE, key: { name: "profile" } });
  assert.deepEqual(problemsOf("AGGREGATE", { ...SAMPLES.AGGREGATE, key: { name: "a", x: 1 } }), [
    "key.str: string_type",
    "key.AggregateContentKey.x: extra_forbidden",
  ]);
  refused("AGGREGATE", { ...SAMPLES.AGGREGATE, content: [] }, "content: dict_type");
});

test("FORGET: limits, and switch forgetAggregatesByName in both positions", () => {
  accepted("FORGET", { ...SAMPLES.FORGET, hashes: [] });
  accepted("FORGET", { ...SAMPLES.FORGET, hashes: Array(1000).fill(SHA), reason: "r".repeat(1000) });
  refused("FORGET", { ...SAMPLES.FORGET, hashes: Array(1001).fill(SHA) }, "hashes: too_long");
  refused("FORGET", { ...SAMPLES.FORGET, reason: "r".repeat(1001) }, "reason: string_too_long");
  refused("FORGET", { ...SAMPLES.FORGET, aggregates: null }, "aggregates: list_type");
  const byName = { ...SAMPLES.FORGET, aggregates: ["profile"] };
  refused("FORGET", byName, "aggregates.0: value_error");
  accepted("FORGET", byName, { forgetAggregatesByName: true });
});

test("switch anyCidV1 reaches every hash of a content", () => {
  const raw = "bafkreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje";
  const cases: [MessageType, object][] = [
    ["STORE", { ...STORE, item_type: "ipfs", item_hash: raw }],
    ["FORGET", { ...SAMPLES.FORGET, hashes: [raw] }],
    ["PROGRAM", { ...PROGRAM, volumes: [{ ref: raw }] }],
  ];
  for (const [type, content] of cases) {
    assert.ok(problemsOf(type, content).length > 0);
    accepted(type, content, { anyCidV1: true });
  }
});

test("whatever the JSON, a content is accepted or refused with reasons, and accepting is stable", () => {
  const types = Object.keys(SAMPLES) as (keyof typeof SAMPLES)[];
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.jsonValue(), fc.string(), (type, value, key) => {
      for (const content of [value, { ...SAMPLES[type], [key]: value }]) {
        const result = validateContent(type, content as JsonValue);
        if (!result.ok) {
          assert.ok(result.errors.length > 0);
          assert.ok(result.errors.every(({ loc, msg }) => loc[0] === "content" && msg !== ""));
          continue;
        }
        // What was read is itself valid and reads the same.
        const again = validateContent(type, JSON.parse(stringifyJson(result.content as JsonValue)));
        assert.ok(again.ok);
        assert.deepEqual(again.content, JSON.parse(JSON.stringify(result.content)));
      }
    }),
    { numRuns: 400 },
  );
});
