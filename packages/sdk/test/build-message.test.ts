import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8, type JsonObject, parseJson } from "@twentysix/protocol";
import {
  type Account,
  buildMessage,
  createAvalancheAccount,
  createCosmosAccount,
  createEvmAccount,
  createNuls2Account,
  createNulsAccount,
  createSubstrateAccount,
  createTezosAccount,
  INLINE_LIMIT_BYTES,
  verifyMessage,
} from "../src/index.ts";
import { ethAccount, hashOf, solAccount, testKey, withCode } from "./support/samples.ts";

const timeMicros = 1_730_410_918_092_000n;
const privateKey = testKey("families");
const accounts: readonly [string, Account][] = [
  ["Ethereum", ethAccount],
  ["Base", createEvmAccount({ privateKey, chain: "BASE" })],
  ["Solana", solAccount],
  ["Substrate", createSubstrateAccount({ seed: privateKey })],
  ["Cosmos", createCosmosAccount({ privateKey })],
  ["Tezos", createTezosAccount({ curve: "ed25519", privateKey })],
  ["Tezos micheline", createTezosAccount({ curve: "p256", privateKey, signingType: "micheline" })],
  ["NULS", createNulsAccount({ privateKey })],
  ["NULS 2", createNuls2Account({ privateKey, chainId: 1 })],
  ["Avalanche", createAvalancheAccount({ privateKey, chainLetter: "X" })],
];

for (const [name, account] of accounts) {
  test(`a message of a ${name} account is proven by its own signature, and by no other's`, async () => {
    const content = { type: "note", content: { url: "https://a.example/?q=%C3%A9" } };
    const message = await buildMessage({ account, type: "POST", content, timeMicros, channel: "TEST" });
    assert.equal(message.time, 1_730_410_918.092);
    const verification = verifyMessage({ message });
    assert.ok(verification.ok);
    assert.deepEqual(verification.content, { address: account.address, time: message.time, ...content });
    assert.equal(message.item_hash, hashOf(message.item_content ?? ""));
    const altered = verifyMessage({ message: { ...message, type: "AGGREGATE" } });
    assert.ok(!altered.ok);
    const forged = await buildMessage({ account, type: "POST", content, timeMicros: timeMicros + 1000n });
    const moved = verifyMessage({ message: { ...message, signature: forged.signature } });
    assert.ok(!moved.ok && moved.problem === "signature");
  });
}

test("a content that is not what its hash says is not proven", async () => {
  const message = await buildMessage({
    account: ethAccount,
    type: "POST",
    content: { type: "a" },
    timeMicros,
  });
  const verification = verifyMessage({ message: { ...message, item_content: '{"type":"b"}' } });
  assert.ok(!verification.ok && verification.problem === "form");
});

test("undefined members are left out, and the owner may be another", async () => {
  const content = { type: "note", content: null, ref: undefined };
  const message = await buildMessage({
    account: ethAccount,
    owner: "0xB0b",
    type: "POST",
    content,
    timeMicros,
  });
  assert.deepEqual(contentOf(message.item_content), {
    address: "0xB0b",
    time: 1_730_410_918.092,
    type: "note",
    content: null,
  });
});

test("a content may not bring an address or a time of its own", async () => {
  for (const key of ["address", "time"]) {
    const building = buildMessage({ account: ethAccount, type: "POST", content: { [key]: "x" }, timeMicros });
    await assert.rejects(building, withCode("SDK_INVALID_INPUT"));
  }
});

test("a time that the chain cannot sign is refused", async () => {
  const account = createTezosAccount({ curve: "ed25519", privateKey });
  const building = buildMessage({ account, type: "POST", content: { type: "a" }, timeMicros: 1001n });
  await assert.rejects(building, withCode("SDK_INVALID_INPUT"));
});

test("49 999 bytes go into the envelope, 50 000 are uploaded", async () => {
  const uploads: string[] = [];
  const build = (padding: string) =>
    buildMessage({
      account: ethAccount,
      type: "POST",
      content: { type: "note", content: padding },
      timeMicros,
      uploadContent: async (bytes) => {
        uploads.push(new TextDecoder().decode(bytes));
        return { engine: "storage", itemHash: hashOf(uploads.at(-1) ?? "") };
      },
    });
  const empty = (await build("")).item_content ?? "";
  const room = INLINE_LIMIT_BYTES - 1 - encodeUtf8(empty).length;
  const inline = await build("é".repeat((room - (room % 2)) / 2) + "x".repeat(room % 2));
  assert.equal(inline.item_type, "inline");
  assert.equal(encodeUtf8(inline.item_content ?? "").length, INLINE_LIMIT_BYTES - 1);
  assert.equal(uploads.length, 0);
  const stored = await build("x".repeat(room + 1));
  assert.deepEqual([stored.item_type, stored.item_content], ["storage", undefined]);
  assert.equal(stored.item_hash, hashOf(uploads[0] ?? ""));
  assert.ok(verifyMessage({ message: stored }).ok);
});

test("a long content without a place to go is refused", async () => {
  const content = { type: "note", content: "x".repeat(INLINE_LIMIT_BYTES) };
  const building = buildMessage({ account: ethAccount, type: "POST", content, timeMicros });
  await assert.rejects(building, withCode("SDK_INVALID_INPUT"));
});

function contentOf(text: string | undefined): JsonObject {
  const parsed = parseJson(text ?? "");
  assert.ok(parsed.ok);
  return parsed.value as JsonObject;
}
