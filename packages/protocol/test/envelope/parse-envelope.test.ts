import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeGossipPayload,
  type EnvelopeOptions,
  type EnvelopeResult,
  encodeUtf8,
  type JsonValue,
  parseEnvelope,
  serialiseEnvelope,
  sha256OfText,
} from "../../src/index.ts";
import { CID, OWNER, POST, SAMPLES, SHA } from "../support/content-samples.ts";

const ITEM_CONTENT = JSON.stringify(POST);

const INLINE = {
  type: "POST",
  chain: "ETH",
  sender: OWNER,
  signature: "0x00",
  item_type: "inline",
  item_content: ITEM_CONTENT,
  item_hash: sha256OfText(ITEM_CONTENT),
  time: 1730410918.092607,
  channel: "TEST",
};

const STORED = { ...INLINE, item_type: "storage", item_content: null, item_hash: SHA };

function read(value: unknown, options: EnvelopeOptions = {}): EnvelopeResult {
  return parseEnvelope(typeof value === "string" ? value : JSON.stringify(value), options);
}

/** `code path: type` of the first problem; "ok" when the envelope is accepted. */
function outcome(value: unknown, options: EnvelopeOptions = {}): string {
  const result = read(value, options);
  if (result.ok) return "ok";
  const [first] = result.error.details?.errors ?? [];
  if (typeof first !== "object" || !("loc" in first)) return `${result.error.code} ${first}`;
  return `${result.error.code} ${first.loc.join(".")}: ${first.type}`;
}

function inlineOf(itemContent: string, changes: object = {}): object {
  return { ...INLINE, item_content: itemContent, item_hash: sha256OfText(itemContent), ...changes };
}

test("a good envelope is read, with its content as written and as the schema reads it", () => {
  const result = read(INLINE);
  assert.ok(result.ok);
  assert.deepEqual(result.envelope, {
    type: "POST",
    chain: "ETH",
    sender: OWNER,
    signature: "0x00",
    itemType: "inline",
    itemContent: ITEM_CONTENT,
    itemHash: INLINE.item_hash,
    timeMicros: 1730410918092607n,
    timeText: "1730410918.092607",
    channel: "TEST",
  });
  assert.deepEqual(result.content, POST);
  assert.equal(result.typed?.type, "POST");
  const stored = read(STORED);
  assert.ok(stored.ok);
  assert.deepEqual([stored.content, stored.typed, stored.envelope.itemContent], [null, null, null]);
});

test("a missing item_type follows from item_content, else from the hash", () => {
  const typeOf = (value: object) => {
    const result = read(value);
    return result.ok ? result.envelope.itemType : outcome(value);
  };
  assert.equal(typeOf({ ...INLINE, item_type: undefined }), "inline");
  assert.equal(typeOf({ ...INLINE, item_type: null }), "inline");
  assert.equal(typeOf({ ...STORED, item_type: undefined }), "storage");
  assert.equal(typeOf({ ...STORED, item_type: null, item_content: undefined, item_hash: CID }), "ipfs");
  assert.equal(typeOf({ ...STORED, item_type: null, item_hash: "deadbeef" }), "0 item_hash: value_error");
});

test("every failure of form is code 0", () => {
  const content = JSON.stringify({ ...POST, extra: 1 });
  const cases: [unknown, string][] = [
    ["", "0 : json_invalid"],
    ["{", "0 : json_invalid"],
    ["\ufeff{}", "0 : json_invalid"],
    ["null", "0 : model_type"],
    ["[]", "0 : model_type"],
    ['"text"', "0 : model_type"],
    ["{}", "0 type: missing"],
    [{ ...INLINE, type: "post" }, "0 type: enum"],
    [{ ...INLINE, type: null }, "0 type: enum"],
    [{ ...INLINE, item_hash: undefined }, "0 item_hash: missing"],
    [{ ...INLINE, item_hash: null }, "0 item_hash: missing"],
    [{ ...INLINE, item_hash: "deadbeef" }, "0 item_hash: value_error"],
    [{ ...INLINE, item_hash: SHA }, "0 item_hash: value_error"],
    [{ ...STORED, item_hash: "deadbeef" }, "0 item_hash: value_error"],
    [{ ...STORED, item_hash: CID }, "0 item_type: value_error"],
    [{ ...STORED, item_hash: 5 }, "0 item_hash: string_type"],
    [{ ...STORED, item_type: "STORAGE" }, "0 item_type: enum"],
    [{ ...STORED, item_content: ITEM_CONTENT }, "0 item_content: value_error"],
    [{ ...INLINE, item_content: null }, "0 item_content: value_error"],
    [{ ...INLINE, item_content: { a: 1 } }, "0 item_content: string_type"],
    [inlineOf("{"), "0 item_content: value_error"],
    [inlineOf("[]"), "0 item_content: value_error"],
    [inlineOf(content), "0 content.extra: extra_forbidden"],
    [inlineOf(ITEM_CONTENT.replace("better", "\\u0000")), "0 item_content: value_error"],
    [inlineOf(ITEM_CONTENT.replace("better", "\\\\u0000")), "0 item_content: value_error"],
    [{ ...INLINE, chain: "MEGA_CHAIN" }, "0 chain: enum"],
    [{ ...INLINE, chain: "BAR" }, "0 chain: enum"],
    [{ ...INLINE, chain: "eth" }, "0 chain: enum"],
    [{ ...INLINE, chain: undefined }, "0 chain: missing"],
    [{ ...INLINE, sender: 5 }, "0 sender: string_type"],
    [{ ...INLINE, sender: undefined }, "0 sender: missing"],
    [{ ...INLINE, signature: 5 }, "0 signature: string_type"],
    [{ ...INLINE, channel: 5 }, "0 channel: string_type"],
    [{ ...INLINE, channel: "a\u0000b" }, "0 channel: value_error"],
    [{ ...INLINE, time: undefined }, "0 time: missing"],
    [{ ...INLINE, time: null }, "0 time: float_type"],
    [{ ...INLINE, time: "1730410918" }, "0 time: float_type"],
    [{ ...INLINE, time: true }, "0 time: float_type"],
    [{ ...INLINE, time: 253402300800 }, "0 time: value_error"],
    [{ ...INLINE, time: 1e18 }, "0 time: value_error"],
    [{ ...INLINE, time: -62135596801 }, "0 time: value_error"],
  ];
  for (const [value, expected] of cases) {
    assert.equal(outcome(value), expected, JSON.stringify(value).slice(0, 200));
  }
  assert.equal(outcome(JSON.stringify(INLINE).replace("1730410918.092607", "1e400")), "0 : json_invalid");
});

test("time in milliseconds is out of range, and the error is at time", () => {
  // Source: pyaleph tests/schemas/test_pending_messages.py.
  assert.equal(outcome({ ...INLINE, time: 255402210800 }), "0 time: value_error");
  for (const time of [-62135596800, 253402300799.9, 0, 1652786281]) {
    assert.equal(outcome({ ...INLINE, time }), "ok");
  }
});

test("the order of the checks decides what a sender sees", () => {
  /** Each is wrong in one more way than the one after it. */
  const mistakes: [object, string][] = [
    [{ signature: null }, "1 Missing signature"],
    [{ item_hash: SHA }, "0 item_hash: value_error"],
    [{ chain: "BAR" }, "0 chain: enum"],
    [{ item_content: "{" }, "0 item_content: value_error"],
    [{ item_hash: null }, "0 item_hash: missing"],
    [{ type: "NOTE" }, "0 type: enum"],
  ];
  let value: object = INLINE;
  for (const [mistake, expected] of mistakes) {
    value = { ...value, ...mistake };
    assert.equal(outcome(value), expected);
  }
});

test("several wrong fields are all named", () => {
  const result = read({ ...INLINE, chain: "BAR", sender: 1, time: "x" });
  assert.ok(!result.ok && result.error.name === "INVALID_FORMAT");
  const fields = result.error.details.errors.map((error) =>
    typeof error === "string" ? error : error.loc[0],
  );
  assert.deepEqual(fields, ["chain", "sender", "time"]);
});

test("a refusal carries the hash by which it is recorded, when there is one", () => {
  const hashOf = (value: unknown) => {
    const result = read(value);
    return result.ok ? "ok" : result.itemHash;
  };
  assert.equal(hashOf({ ...INLINE, chain: "BAR" }), INLINE.item_hash);
  assert.equal(hashOf({ ...INLINE, type: "NOTE" }), INLINE.item_hash);
  assert.equal(hashOf({ ...INLINE, signature: "" }), INLINE.item_hash);
  for (const value of [null, "{", {}, { item_hash: "" }, { item_hash: 5 }, { ...INLINE, item_hash: null }]) {
    assert.equal(hashOf(value), null);
  }
});

test("a missing signature is code 1, unless the message comes from a contract", () => {
  for (const signature of [null, "", undefined]) {
    assert.equal(outcome({ ...INLINE, signature }), "1 Missing signature");
    const trusted = read({ ...INLINE, signature }, { trusted: true });
    assert.ok(trusted.ok);
  }
});

test("item_content is limited in code points, not in UTF-16 units", () => {
  const body = (count: number) => {
    const frame = JSON.stringify({ ...POST, content: "" }).length;
    return JSON.stringify({ ...POST, content: "😀".repeat(count - frame) });
  };
  assert.equal(outcome(inlineOf(body(200_000))), "ok");
  assert.equal(outcome(inlineOf(body(200_001))), "0 item_content: string_too_long");
});

test("unknown keys, the content of a reposted message and __proto__ are ignored", () => {
  const reposted = { ...INLINE, _id: { $oid: "1" }, size: 5, confirmed: true, content: { nonsense: 1 } };
  assert.equal(outcome(JSON.stringify(reposted).replace("{", '{"__proto__":{"type":"STORE"},')), "ok");
});

test("the text of time is kept as it was submitted", () => {
  const text = JSON.stringify(INLINE).replace("1730410918.092607", "1.7304109180926070e9");
  const result = parseEnvelope(text);
  assert.ok(result.ok);
  assert.equal(result.envelope.timeText, "1.7304109180926070e9");
  assert.equal(result.envelope.timeMicros, 1730410918092607n);
  const fromValue = parseEnvelope(INLINE as JsonValue);
  assert.ok(fromValue.ok);
  assert.equal(fromValue.envelope.timeText, "1730410918.092607");
});

test("switch anyCidV1 lets an envelope name any CIDv1", () => {
  const raw = {
    ...STORED,
    item_type: "ipfs",
    item_hash: "bafkreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje",
  };
  assert.equal(outcome(raw), "0 item_hash: value_error");
  assert.equal(outcome(raw, { switches: { anyCidV1: true } }), "ok");
});

test("the given hash function is used", () => {
  let calls = 0;
  const sha256 = () => {
    calls += 1;
    return new Uint8Array(32);
  };
  assert.equal(outcome({ ...INLINE, item_hash: "00".repeat(32) }, { sha256 }), "ok");
  assert.equal(calls, 1);
});

test("real messages of every chain are read", () => {
  // Source: the fixtures of pyaleph and aleph-rs, each with its origin.
  const path = new URL("../fixtures/signed-messages.json", import.meta.url);
  const fixtures = JSON.parse(readFileSync(path, "utf8")) as { message: Record<string, unknown> }[];
  const refusals = fixtures
    .map(({ message }) => [message, outcome(message)] as const)
    .filter(([, result]) => result !== "ok");
  // A program of before the rule on metadata, and an aggregate altered into something else.
  assert.deepEqual(
    refusals.map(([message, result]) => [message.type, result]),
    [
      ["PROGRAM", "0 content.metadata: dict_type"],
      ["AGGREGATE", "0 content.key: missing"],
    ],
  );
});

test("an envelope survives writing and reading", () => {
  const arbitrary = fc.record({
    sender: fc.string({ minLength: 1 }).filter((text) => !text.includes("\u0000")),
    signature: fc.string({ minLength: 1 }).filter((text) => !text.includes("\u0000")),
    channel: fc.option(fc.constantFrom("TEST", "é😀", "")),
    time: fc.double({ min: 0, max: 253402300799, noNaN: true }),
    body: fc
      .string({ unit: "grapheme" })
      .filter((text) => !text.includes("\\u0000") && !text.includes("\u0000")),
    type: fc.constantFrom("POST" as const),
  });
  fc.assert(
    fc.property(arbitrary, ({ body, ...fields }) => {
      const itemContent = JSON.stringify({ ...POST, content: body });
      const first = read(inlineOf(itemContent, fields));
      assert.ok(first.ok);
      const text = serialiseEnvelope(first.envelope);
      assert.deepEqual(parseEnvelope(text), first);
      assert.equal(decodeGossipPayload(encodeUtf8(text)), text);
    }),
  );
});

test("any value at all is answered without an exception", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(INLINE)), (value, key) => {
      for (const input of [value, { ...INLINE, [key]: value }]) {
        const result = parseEnvelope(JSON.stringify(input));
        assert.equal(result.ok || result.error.code <= 1, true);
      }
    }),
    { numRuns: 500 },
  );
});

test("gossip payloads are read raw; only what is not JSON is percent-decoded", () => {
  const raw = '{"a":"50%25 of %41"}';
  assert.equal(decodeGossipPayload(encodeUtf8(raw)), raw);
  assert.equal(decodeGossipPayload(encodeUtf8("%7B%22a%22%3A%22%C3%A9%22%7D")), '{"a":"é"}');
  assert.equal(decodeGossipPayload(encodeUtf8("%7b%22a%22:%221%2%zz%22}")), '{"a":"1%2%zz"}');
  for (const bad of ["", "hello", "100%", "%ff%7B%7D"])
    assert.equal(decodeGossipPayload(encodeUtf8(bad)), null);
  assert.equal(decodeGossipPayload(Uint8Array.from([0x7b, 0xff, 0x7d])), null);
});

test("every type of content passes through an envelope", () => {
  for (const [type, content] of Object.entries(SAMPLES)) {
    assert.equal(outcome(inlineOf(JSON.stringify(content), { type })), "ok", type);
  }
});
