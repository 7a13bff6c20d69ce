import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LocalAccount } from "@twentysix/protocol";
import { amend, evm, evmAs, forget, grant, post, type Signed, signed, solana } from "./support/signed.ts";
import { networkDefinition, StateHarness } from "./support/state-harness.ts";
import { tell, told } from "./support/told.ts";

/* What the tests of the reference pin, on a node of mainnet: who may act for whom. */

const mainnet = networkDefinition("mainnet");
const owner = evm("owner with delegates");
const delegate = evm("delegate for notes");
const second = solana("second delegate");
const stranger = evm("stranger to the owner");
const TIME = 1_700_000_000;
const DENIED = "rejected 2";

/** The right to post notes, and nothing else. */
const notes = (address: string) => ({ address, types: ["POST"], post_types: ["note"] });
const trust = grant(owner, TIME, notes(delegate.address), notes(second.address));
const revocation = grant(owner, TIME + 50);

const note = (by: LocalAccount, seconds: number): Signed =>
  post(by, TIME + seconds, `by ${by.chain} at ${seconds}`, { owner: owner.address });
const amended = (by: LocalAccount, seconds: number, ref: string, of: string = owner.address): Signed =>
  amend(by, TIME + seconds, ref, `by ${by.chain} at ${seconds}`, { owner: of });

/** A node whose owner trusts two delegates with notes. */
async function trusting(): Promise<StateHarness> {
  const node = await StateHarness.open(mainnet);
  assert.deepEqual(await tell(node, trust), ["processed"]);
  return node;
}

describe("an amend by a delegate", () => {
  test("needs the right to the type of the original, not to amends", async () => {
    await using node = await trusting();
    const original = note(owner, 1);
    const change = amended(delegate, 2, original.hash);
    assert.deepEqual(await tell(node, original, change), ["processed", "processed"]);
    const blog = signed(owner, "POST", TIME + 3, { type: "blog", content: {} });
    assert.deepEqual(await tell(node, blog, amended(delegate, 4, blog.hash)), ["processed", DENIED]);
  });

  test("is refused when nobody gave him a right", async () => {
    await using node = await trusting();
    const original = note(owner, 1);
    assert.deepEqual(await tell(node, original, amended(stranger, 2, original.hash)), ["processed", DENIED]);
    assert.deepEqual(node.view(amended(stranger, 2, original.hash).hash)?.details, {
      errors: [`Sender ${stranger.address} is not authorized to post on behalf of address ${owner.address}`],
    });
  });

  test("is refused when the original belongs to another, whatever the owner would allow", async () => {
    await using node = await trusting();
    const ofAnother = post(stranger, TIME + 1, "of another");
    const [, byDelegate] = await tell(node, ofAnother, amended(delegate, 2, ofAnother.hash));
    assert.equal(byDelegate, DENIED);
    assert.deepEqual(await tell(node, amended(owner, 3, ofAnother.hash)), [DENIED]);
  });

  test("is judged by its own type while the original is unknown", async () => {
    await using node = await trusting();
    const original = note(owner, 1);
    const change = amended(delegate, 2, original.hash);
    assert.deepEqual(await tell(node, change), [DENIED]);
    const toAmends = grant(owner, TIME + 3, { address: delegate.address, post_types: ["amend"] });
    assert.deepEqual(await tell(node, toAmends, change), ["processed", "rejected 101"]);
  });

  test("is refused to an owner in other letters: his objects are others", async () => {
    await using node = await trusting();
    const original = note(owner, 1);
    const lower = evmAs("owner with delegates", owner.address.toLowerCase());
    const change = amended(lower, 2, original.hash, lower.address);
    assert.deepEqual(await tell(node, original, change), ["processed", DENIED]);
  });
});

describe("a FORGET", () => {
  test("of what a delegate made is the owner's right, after the revocation too", async () => {
    await using node = await trusting();
    const made = note(delegate, 1);
    await tell(node, made, revocation, forget(owner, TIME + 60, [made.hash]));
    assert.equal(told(node, made), "forgotten");
  });

  test("of what he made is no right of a delegate once revoked", async () => {
    await using node = await trusting();
    const made = note(delegate, 1);
    const outcomes = await tell(node, made, revocation, forget(delegate, TIME + 60, [made.hash]));
    assert.deepEqual(outcomes, ["processed", "processed", DENIED]);
  });

  test("by a delegate reaches what the owner and others made within his filters, and no further", async () => {
    await using node = await trusting();
    const byOwner = note(owner, 1);
    const bySecond = note(second, 2);
    const both = forget(delegate, TIME + 3, [byOwner.hash, bySecond.hash]);
    assert.deepEqual(await tell(node, byOwner, bySecond, both), ["forgotten", "forgotten", "processed"]);
    const blog = signed(owner, "POST", TIME + 4, { type: "blog", content: {} });
    const beyond = forget(delegate, TIME + 5, [blog.hash]);
    assert.deepEqual(await tell(node, blog, beyond), ["processed", DENIED]);
  });

  test("may span several owners, all of whose targets or none it forgets", async () => {
    await using node = await trusting();
    const friend = evm("another owner with a delegate");
    const [one, two, three, four] = [
      note(owner, 1),
      post(friend, TIME + 2, "of a friend"),
      note(owner, 3),
      post(stranger, TIME + 4, "of a stranger"),
    ];
    await tell(node, grant(friend, TIME, notes(delegate.address)), one, two, three, four);
    const granted = forget(delegate, TIME + 5, [one.hash, two.hash]);
    const partly = forget(delegate, TIME + 6, [three.hash, four.hash]);
    assert.deepEqual(await tell(node, granted, partly), ["processed", DENIED]);
    const outcomes = [one, two, three, four].map((message) => told(node, message));
    assert.deepEqual(outcomes, ["forgotten", "forgotten", "processed", "processed"]);
  });

  test("of what a delegate posted for himself is not the owner's right", async () => {
    await using node = await trusting();
    const own = post(delegate, TIME + 1, "for himself");
    assert.deepEqual(await tell(node, own, forget(owner, TIME + 2, [own.hash])), ["processed", DENIED]);
  });
});
