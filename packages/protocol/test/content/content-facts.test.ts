import assert from "node:assert/strict";
import { test } from "node:test";
import {
  completeContent,
  contentTimeMicros,
  type JsonObject,
  labelOf,
  type MessageType,
  ownerOf,
  parseContentText,
  parseJson,
  referencedHashes,
  refOf,
  type TypedContent,
  tagsOf,
  validateContent,
} from "../../src/index.ts";
import {
  AGGREGATE,
  CHAIN_REF_POST,
  CID,
  INSTANCE,
  OWNER,
  POST,
  PROGRAM,
  PROGRAM_WITH_EVERYTHING,
  SAMPLES,
  SHA,
  STORE,
  V_PROGRAM,
} from "../support/content-samples.ts";

test("owner, time, label and ref of a content", () => {
  assert.equal(ownerOf(POST), OWNER);
  assert.equal(ownerOf({ address: 5 }), undefined);
  assert.equal(contentTimeMicros(POST), 1730410918090000n);
  assert.equal(contentTimeMicros({ time: true }), 1000000n);
  assert.equal(contentTimeMicros({ time: "1" }), undefined);
  assert.equal(contentTimeMicros({}), undefined);
  assert.equal(labelOf("POST", POST), "amend");
  assert.equal(labelOf("AGGREGATE", AGGREGATE), "profile");
  assert.equal(labelOf("AGGREGATE", { ...AGGREGATE, key: { name: "profile" } }), "profile");
  assert.equal(labelOf("PROGRAM", PROGRAM), "vm-function");
  assert.equal(labelOf("STORE", STORE), null);
  assert.equal(refOf(STORE), "my-site");
  assert.equal(refOf(CHAIN_REF_POST), SHA);
  assert.equal(refOf(AGGREGATE), null);
  assert.equal(refOf({ ref: ["x"] }), null);
});

test("tags are found where the type has them, and only texts count", () => {
  assert.deepEqual(tagsOf("AGGREGATE", AGGREGATE), ["demo"]);
  assert.deepEqual(tagsOf("POST", { content: { tags: ["a", 1, null, "b"] } }), ["a", "b"]);
  assert.deepEqual(tagsOf("POST", { content: "text", tags: ["a"] }), []);
  assert.deepEqual(tagsOf("STORE", { tags: ["a"] }), ["a"]);
  assert.deepEqual(tagsOf("INSTANCE", { metadata: { tags: ["a"] } }), ["a"]);
  assert.deepEqual(tagsOf("V-PROGRAM", { metadata: [["tags", "a"]] }), []);
  assert.deepEqual(tagsOf("FORGET", { content: { tags: ["a"] } }), []);
  assert.deepEqual(tagsOf("POST", { content: { tags: "a" } }), []);
});

function referencesOf(type: MessageType, content: object) {
  const result = validateContent(type, content as JsonObject);
  assert.ok(result.ok);
  return referencedHashes({ type, content: result.content } as TypedContent);
}

test("every file that a machine is built from is named, with how to resolve it", () => {
  assert.deepEqual(referencesOf("PROGRAM", PROGRAM_WITH_EVERYTHING), [
    { kind: "code", hash: SHA, useLatest: true },
    { kind: "runtime", hash: SHA, useLatest: true },
    { kind: "data", hash: CID, useLatest: false },
    { kind: "parent", hash: SHA, useLatest: false, copy: { volumeName: "n", sizeMib: 100 } },
  ]);
  assert.deepEqual(referencesOf("INSTANCE", { ...INSTANCE, volumes: [{ ref: CID, use_latest: false }] }), [
    { kind: "rootfs", hash: SHA, useLatest: true, copy: { volumeName: "rootfs", sizeMib: 20480 } },
    { kind: "volume", hash: CID, useLatest: false },
  ]);
  assert.deepEqual(
    referencesOf("V-PROGRAM", V_PROGRAM).map(({ kind, useLatest }) => [kind, useLatest]),
    [
      ["runtime", false],
      ["workload", false],
      ["hash_tree", false],
      ["volume", false],
      ["hash_tree", false],
    ],
  );
  assert.deepEqual(referencesOf("STORE", SAMPLES.STORE), []);
});

test("a fetched content gets the address and the time that it lacks, and keeps every other character", () => {
  const envelope = { sender: OWNER, timeText: "1730410918.5" };
  const complete = completeContent('{"address":"0xB","time":1,"x":1.50}', envelope);
  assert.ok(complete.ok);
  assert.equal(complete.text, '{"address":"0xB","time":1,"x":1.50}');

  const lacking = completeContent(' { "x" : 1.50 , "time" : null } ', envelope);
  assert.ok(lacking.ok);
  assert.equal(lacking.text, ` { "x" : 1.50 , "time" : 1730410918.5 ,"address":"${OWNER}"} `);
  assert.deepEqual(lacking.content, { x: 1.5, time: 1730410918.5, address: OWNER });

  const empty = completeContent("{}", envelope);
  assert.ok(empty.ok);
  assert.deepEqual(parseJson(empty.text), { ok: true, value: { address: OWNER, time: 1730410918.5 } });
  const nested = completeContent('{"n":{"address":"0xB","time":1}}', envelope);
  assert.ok(nested.ok);
  assert.equal(nested.content.address, OWNER);
});

test("a content that is not an object, not JSON, or has an escaped NUL is refused", () => {
  const texts = ["[]", "null", '"{}"', "{", '{"a":"\\u0000"}', '{"a":"\\\\u0000"}'];
  for (const text of texts) {
    assert.equal(parseContentText(text).ok, false, text);
    assert.equal(completeContent(text, { sender: OWNER, timeText: "1" }).ok, false, text);
  }
});
