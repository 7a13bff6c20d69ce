import assert from "node:assert/strict";
import { test } from "node:test";
import { contractEnvelope, contractMessageProblem } from "../../src/chain/contract-message.ts";

const CID = "QmaMLRsvmDRCezZe2iebcKWtEzKNjBaQfwcu7mcpdm8eY2";

test("a file that a contract stores becomes the bytes that every node makes of it", () => {
  const message = { sender: "KT1VBeLD7hzKpj17aRJ3Kc6QQFeikCEXi7W6", type: "STORE_IPFS", content: CID };
  const text = contractEnvelope(message, "TEZOS", 1_668_611_900_000_000n);
  const envelope = JSON.parse(text);
  assert.equal(
    envelope.item_content,
    `{"address": "KT1VBeLD7hzKpj17aRJ3Kc6QQFeikCEXi7W6", "time": 1668611900.0, "item_type": "ipfs", "item_hash": "${CID}"}`,
  );
  assert.equal(envelope.item_hash, "1eb440938336b13e7e4ad3f9ebea6de8dbf7fcbdba4c8861ea0a4f70e19e777d");
  assert.equal(envelope.type, "STORE");
  assert.match(text, /"time":1668611900\.0,"channel":null\}$/);
});

test("times of milliseconds keep their shortest digits", () => {
  const message = { sender: "0xAb", type: "STORE_IPFS", content: CID };
  const envelope = JSON.parse(contractEnvelope(message, "BSC", 1_677_248_195_120_000n));
  assert.match(envelope.item_content, /"time": 1677248195\.12,/);
});

test("other contents stay as they were written", () => {
  const message = { sender: "0xAb", type: "POST", content: '{ "a":\t1 }' };
  const envelope = JSON.parse(contractEnvelope(message, "BSC", 1_677_248_195_000_000n));
  assert.equal(envelope.item_content, '{ "a":\t1 }');
  assert.equal(envelope.sender, "0xAb");
  assert.equal(envelope.chain, "BSC");
  assert.equal(envelope.signature, null);
});

test("what can become no message is known before it is queued", () => {
  const problem = (type: string, content: string) =>
    contractMessageProblem({ sender: "0xAb", type, content });
  assert.equal(problem("POST", "{}"), null);
  assert.equal(problem("STORE_IPFS", CID), null);
  assert.ok(problem("STORE_IPFS", "no CID"));
  assert.ok(problem("STORE_IPFS", "ab".repeat(32)));
  assert.ok(problem("POSTS", "{}"));
});
