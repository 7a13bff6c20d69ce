import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  apart,
  envelope,
  evm,
  forget,
  post,
  program,
  respelled,
  type Signed,
  signed,
  solana,
  store,
  vprogram,
  withEnvelope,
} from "./support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "./support/state-harness.ts";
import { tell, told } from "./support/told.ts";

/* What the tests of the reference pin, on a node of mainnet: what a FORGET takes, leaves and keeps away. */

const mainnet = networkDefinition("mainnet");
const owner = evm("owner who forgets");
const other = solana("another who keeps");
const TIME = 1_700_000_000;
const file = testFile(0);

/** A node that holds the test file. */
async function holding(): Promise<StateHarness> {
  const node = await StateHarness.open(mainnet);
  await node.hold(file);
  return node;
}

describe("a FORGET of a STORE", () => {
  test("that another user stored too takes the first user's alone", async () => {
    await using node = await holding();
    const mine = store(owner, TIME + 1, file.hash);
    const theirs = store(other, TIME + 2, file.hash);
    const outcomes = await tell(node, mine, theirs, forget(owner, TIME + 3, [mine.hash]));
    assert.deepEqual(outcomes, ["forgotten", "processed", "processed"]);
    assert.deepEqual(node.pinOwners(file.hash), [other.address]);
    assert.equal(node.reads.pinCount(file.hash), 1);
    assert.equal(node.reads.file(file.hash)?.sizeBytes, file.sizeBytes);
  });

  test("that was the last of its file leaves the file for a grace of a day", async () => {
    await using node = await holding();
    const mine = store(owner, TIME + 1, file.hash);
    await tell(node, mine, forget(owner, TIME + 3, [mine.hash]));
    assert.deepEqual(node.pinOwners(file.hash), []);
    assert.equal(node.reads.pinCount(file.hash), 1, "the grace pin");
  });

  const machines = { PROGRAM: program, "V-PROGRAM": vprogram };
  for (const [type, machine] of Object.entries(machines)) {
    test(`that a live ${type} uses is refused (503) and leaves the pins as they were`, async () => {
      await using node = await holding();
      const mine = store(owner, TIME + 1, file.hash);
      const user = machine(other, TIME + 2, mine.hash);
      const refused = forget(owner, TIME + 3, [mine.hash]);
      assert.deepEqual(await tell(node, mine, user, refused), ["processed", "processed", "rejected 503"]);
      assert.deepEqual(node.view(refused.hash)?.details, {
        errors: [`File ${mine.hash} used on vm ${user.hash}`],
      });
      assert.deepEqual(node.pinOwners(file.hash), [owner.address]);
      await tell(node, forget(other, TIME + 4, [user.hash]), forget(owner, TIME + 5, [mine.hash]));
      assert.deepEqual([told(node, user), told(node, mine)], ["forgotten", "forgotten"]);
    });
  }
});

describe("a FORGET", () => {
  test("of a FORGET is refused (502), and its target stands", async () => {
    await using node = await holding();
    const note = post(owner, TIME, "note");
    const first = forget(owner, TIME + 1, [note.hash]);
    const second = forget(owner, TIME + 2, [first.hash]);
    assert.deepEqual(await tell(node, note, first, second), ["forgotten", "processed", "rejected 502"]);
    assert.deepEqual(node.view(second.hash)?.details, { errors: [{ message: first.hash }] });
  });

  test("of nothing is refused (500), of what is unknown given up in the end (501)", async () => {
    await using node = await holding();
    const nothing = forget(owner, TIME, []);
    const unknown = forget(owner, TIME, [file.hash]);
    await node.submit(unknown.text);
    assert.equal(told(node, unknown), "pending");
    assert.deepEqual(await tell(node, nothing, unknown), ["rejected 500", "rejected 501"]);
    assert.deepEqual(node.view(unknown.hash)?.details, { errors: [{ message: file.hash }] });
  });

  test("that waits for its target forgets it when it comes, however late", async () => {
    await using node = await holding();
    const note = post(owner, TIME, "note");
    const early = forget(owner, TIME + 1, [note.hash]);
    assert.deepEqual(await tell(node, early), ["rejected 501"]);
    assert.deepEqual(await tell(node, note), ["forgotten"]);
    assert.equal(told(node, early), "processed");
  });

  test("may name a target twice, and one that goes with another", async () => {
    await using node = await holding();
    const note = post(owner, TIME, "note");
    const amended = signed(owner, "POST", TIME + 1, { type: "amend", ref: note.hash, content: {} });
    const all = forget(owner, TIME + 2, [note.hash, amended.hash, note.hash]);
    assert.deepEqual(await tell(node, note, amended, all), ["forgotten", "forgotten", "processed"]);
    assert.deepEqual(node.view(amended.hash)?.forgotten_by, [all.hash]);
  });

  /** What is told of a forgotten message, but for who it was. */
  const billing = (node: StateHarness, { hash }: Signed): unknown => {
    const skeleton = node.view(hash)?.message as Readonly<Record<string, unknown>> | undefined;
    const { payment_type, size, forgotten_at, owner: of, content, item_content } = skeleton ?? {};
    return { payment_type, size, forgotten_at, of, content, item_content };
  };

  test("keeps what bills need: payment, size of the file, its own envelope time", async () => {
    await using node = await holding();
    const held = store(owner, TIME + 1, file.hash);
    const members = { item_type: "storage", item_hash: file.hash, payment: { type: "credit" } };
    const credit = signed(owner, "STORE", TIME + 2, members);
    const envelopeTime = TIME + 77.25;
    const all = withEnvelope(forget(owner, TIME + 3, [held.hash, credit.hash]), { time: envelopeTime });
    await tell(node, held, credit, all);
    const kept = { size: file.sizeBytes, forgotten_at: envelopeTime, of: owner.address };
    const withoutContent = { content: undefined, item_content: undefined };
    assert.deepEqual(billing(node, held), { payment_type: "hold", ...kept, ...withoutContent });
    assert.deepEqual(billing(node, credit), { payment_type: "credit", ...kept, ...withoutContent });
  });

  test("leaves nothing of a content in the database, nor of one in copies that were refused", async () => {
    await using node = await holding();
    const secret = "a-word-that-stands-nowhere-else";
    const note = post(owner, TIME, secret);
    const { item_content: content } = JSON.parse(note.text) as { item_content: string };
    const byAnother = envelope(other, "POST", content, { time: TIME });
    const forged = withEnvelope(note, { signature: `0x${"11".repeat(65)}` });
    const end = forget(owner, TIME + 1, [note.hash]);
    await tell(node, forged, note, byAnother, withEnvelope(note, { channel: "ELSE" }));
    assert.notEqual(node.textsWith(secret).length, 0);
    await tell(node, end, forged, note, byAnother);
    assert.deepEqual(node.textsWith(secret), []);
    await using inOneBatch = await holding();
    await inOneBatch.submit(note.text, byAnother.text, forged.text, end.text);
    assert.equal(told(inOneBatch, note), "forgotten");
    assert.deepEqual(inOneBatch.textsWith(secret), []);
  });

  test("leaves nothing of a content that was a file", async () => {
    await using node = await holding();
    const note = post(owner, TIME, "stored apart");
    const { envelope: message, content } = apart(note);
    await node.upload(content);
    assert.deepEqual(await tell(node, message), ["processed"]);
    assert.deepEqual(node.pinOwners(note.hash), [owner.address]);
    await tell(node, forget(owner, TIME + 1, [note.hash]));
    assert.deepEqual(node.pinOwners(note.hash), []);
  });
});

describe("a copy of a forgotten message", () => {
  const note = post(owner, TIME, "to be forgotten");
  const end = forget(owner, TIME + 1, [note.hash]);

  test("is told that it is forgotten, and restores nothing", async () => {
    await using node = await holding();
    await tell(node, note, end);
    const before = node.root();
    for (const copy of [note, withEnvelope(note, { channel: "ELSE", time: TIME + 9 }), respelled(note)]) {
      const [result] = await node.submit(copy.text);
      assert.deepEqual([result?.status, result?.known], ["forgotten", true]);
    }
    assert.equal(told(node, note), "forgotten");
    assert.deepEqual(node.answers().postList, []);
    assert.equal(node.store.countCandidates(note.hash).total, 0);
    assert.equal(node.root(), before);
  });

  test("with another signature is refused (1), and the message stays forgotten", async () => {
    await using node = await holding();
    await tell(node, note, end);
    const { item_content: content } = JSON.parse(note.text) as { item_content: string };
    const [result] = await node.submit(envelope(other, "POST", content, { time: TIME }).text);
    assert.deepEqual([result?.status, result?.errorCode], ["rejected", 1]);
    assert.equal(told(node, note), "forgotten");
    assert.deepEqual(node.view(note.hash)?.forgotten_by, [end.hash]);
  });
});
