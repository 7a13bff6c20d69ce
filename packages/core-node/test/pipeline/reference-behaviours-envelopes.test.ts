import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { apart, evm, evmAs, post, type Signed, signed, store, withEnvelope } from "./support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "./support/state-harness.ts";
import { tell, told } from "./support/told.ts";

/*
 * What the tests of the reference pin, on a node of mainnet: envelopes and their signatures.
 *
 * The others are in the files beside this one. Those that need a ledger come with it: the payment gates of STORE
 * (free before a date, free up to 25 MiB, credits for small files too, hold after the last date), a V-PROGRAM without
 * credits, the refusal of malformed credit transfers, and the removal of what nobody pays.
 */

const mainnet = networkDefinition("mainnet");
const author = evm("author of envelopes");
const TIME = 1_700_000_000;

/** A member of the message that the node serves. */
function served(node: StateHarness, { hash }: Signed, member: string): unknown {
  const message = node.view(hash)?.message as Readonly<Record<string, unknown>> | undefined;
  return message?.[member];
}

describe("an envelope without item_type", () => {
  test("is inline when it has a content", async () => {
    await using node = await StateHarness.open(mainnet);
    const message = withEnvelope(post(author, TIME, "inline"), { item_type: undefined });
    assert.deepEqual(await tell(node, message), ["processed"]);
    assert.equal(served(node, message, "item_type"), "inline");
  });

  test("is of IPFS when its hash begins with Qm and its content is null", async () => {
    await using node = await StateHarness.open(mainnet);
    const { content } = apart(post(author, TIME, "on IPFS"));
    const hash = "QmaMLRsvmDRCezZe2iebcKWtEzKNjBaQfwcu7mcpdm8eY2";
    const signature = author.sign({ type: "POST", itemHash: hash, timeMicros: 0n });
    const members = { item_hash: hash, item_content: null, item_type: undefined, signature };
    const message = { hash, text: withEnvelope(post(author, TIME, "on IPFS"), members).text };
    await node.submit(message.text);
    assert.equal(told(node, message), "pending");
    node.contents.set(hash, content);
    await node.hold({ hash, sizeBytes: content.length });
    await node.settle();
    assert.equal(served(node, message, "item_type"), "ipfs");
  });
});

test("an envelope of wrong form is rejected as malformed (0), and only that copy", async () => {
  await using node = await StateHarness.open(mainnet);
  const good = post(author, TIME, "well formed");
  const malformed: Readonly<Record<string, Signed>> = {
    "item_type in capitals": withEnvelope(good, { item_type: "STORAGE", item_content: null }),
    "chain MEGA_CHAIN": withEnvelope(good, { chain: "MEGA_CHAIN" }),
    "chain BAR": withEnvelope(good, { chain: "BAR" }),
    "item_hash deadbeef": { hash: "deadbeef", text: withEnvelope(good, { item_hash: "deadbeef" }).text },
    "time in the year 10063": withEnvelope(good, { time: 255_402_210_800 }),
    "content of another hash": withEnvelope(good, { item_content: "{}" }),
    null: { hash: good.hash, text: "null" },
    "an empty object": { hash: good.hash, text: "{}" },
  };
  for (const [mistake, { text }] of Object.entries(malformed)) {
    const [result] = await node.submit(text);
    assert.deepEqual([result?.status, result?.errorCode, result?.refused], ["rejected", 0, true], mistake);
  }
  const [late] = await node.submit(withEnvelope(good, { time: 255_402_210_800 }).text);
  const details = late?.details as { readonly errors: readonly { readonly loc: unknown }[] } | undefined;
  assert.deepEqual(
    details?.errors.map(({ loc }) => loc),
    [["time"]],
  );
  assert.equal(told(node, good), "rejected 0");
  assert.deepEqual(await tell(node, good), ["processed"]);
});

test("a message without signature is rejected (1) and not queued", async () => {
  await using node = await StateHarness.open(mainnet);
  await node.hold(testFile(0));
  const good = store(author, TIME, testFile(0).hash);
  const unsigned = withEnvelope(good, { signature: null });
  await node.submit(unsigned.text);
  assert.equal(told(node, good), "rejected 1");
  assert.deepEqual(node.view(good.hash)?.details, { errors: ["Missing signature"] });
  assert.equal(node.store.countCandidates(good.hash).total, 0);
  assert.deepEqual(await tell(node, good), ["processed"]);
});

test("an ETH sender in lower case signs for the checksummed address that is recovered, and is its owner", async () => {
  await using node = await StateHarness.open(mainnet);
  const lower = evmAs("author of envelopes", author.address.toLowerCase());
  assert.notEqual(lower.address, author.address);
  const own = post(lower, TIME, "in lower case");
  const other = signed(lower, "POST", TIME, { type: "note", content: {} }, { owner: author.address });
  assert.deepEqual(await tell(node, own, other), ["processed", "processed"]);
  assert.equal(served(node, other, "sender"), lower.address);
});
