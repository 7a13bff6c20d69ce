import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProtocolSwitches } from "@twentysix/protocol";
import { MAX_UNDECIDED } from "../../src/pipeline/writer/undecided-signatures.ts";
import { evm, evmAs, forget, post, type Signed, withEnvelope } from "./support/signed.ts";
import { networkDefinition, StateHarness } from "./support/state-harness.ts";

const TIME = 1_700_000_000;
const WALLET = `0x${"c0".repeat(20)}`;
const author = evm("author");
const stranger = (sender: string): ReturnType<typeof evmAs> => evmAs("a stranger", sender);

const open = (positions: Partial<ProtocolSwitches> = {}): Promise<StateHarness> =>
  StateHarness.open(networkDefinition("mainnet", { contractWallets: true, ...positions }));

/** Ids of the copies that wait for a chain. */
const waiting = (node: StateHarness, { hash }: Signed): number[] =>
  node.store.rivalCandidates(hash).flatMap(({ id, code }) => (code === -2 ? [id] : []));

async function decide(node: StateHarness, message: Signed, refusal: string | null): Promise<void> {
  node.store.begin();
  for (const candidateId of waiting(node, message)) {
    node.store.decideSignature({ candidateId, refusal }, node.nowMicros);
  }
  node.store.finish();
  node.store.commit();
  await node.runDue();
}

for (const canonicalOrder of [false, true]) {
  test(`a copy that nobody has vouched for changes nothing (canonicalOrder ${canonicalOrder})`, async () => {
    await using node = await open({ canonicalOrder });
    const [kept, forged] = [post(author, TIME, "kept"), post(stranger(author.address), TIME, "forged")];
    const copy = withEnvelope(kept, { signature: `0x${"12".repeat(65)}` });
    const gone = forget(stranger(author.address), TIME + 1, [kept.hash]);
    await node.submit(copy.text, forged.text, gone.text);
    assert.deepEqual(
      [kept, forged, gone].map(({ hash }) => node.status(hash)),
      ["pending", "pending", "pending"],
    );
    await node.submit(kept.text);
    await node.runDue();
    assert.equal(node.status(kept.hash), "processed", "the genuine copy is judged at once");
    await decide(node, kept, "no");
    await decide(node, gone, "no");
    await decide(node, forged, "no");
    assert.deepEqual(
      [kept, forged, gone].map(({ hash }) => node.status(hash)),
      ["processed", "rejected", "rejected"],
    );
    assert.deepEqual(
      [kept, forged, gone].flatMap((message) => waiting(node, message)),
      [],
    );
  });
}

test("what is decided is judged as any message, with all its attempts", async () => {
  await using node = await open();
  const missing = post(author, TIME, "comes later");
  const amend = post(stranger(WALLET), TIME + 1, "good");
  const bad = post(stranger(WALLET), TIME + 2, "bad");
  const gone = forget(stranger(WALLET), TIME + 3, [amend.hash]);
  await node.submit(amend.text, bad.text, gone.text, missing.text);
  await decide(node, gone, null);
  assert.equal(node.status(gone.hash), "pending", "it waits for what it names");
  await decide(node, amend, null);
  await decide(node, bad, "no");
  await node.settle();
  assert.deepEqual(
    [amend, bad, gone, missing].map(({ hash }) => node.status(hash)),
    ["forgotten", "rejected", "processed", "processed"],
  );
});

test("only so many wait: one more is to be sent again, and is nowhere kept", async () => {
  await using node = await open();
  const messages = Array.from({ length: MAX_UNDECIDED + 1 }, (_, n) => post(stranger(WALLET), TIME + n, n));
  const results = await node.submit(...messages.map(({ text }) => text));
  const crowdedOut = results.filter(({ status }) => status !== "pending");
  assert.deepEqual(
    crowdedOut.map(({ status, errorCode }) => [status, errorCode]),
    [["rejected", -2]],
  );
  assert.match(JSON.stringify(crowdedOut[0]?.details), /send it again later/);
  assert.equal(node.view(messages.at(-1)?.hash ?? ""), null);
  const own = post(author, TIME, "with a key");
  await node.submit(own.text);
  assert.equal(node.status(own.hash), "processed");
});
