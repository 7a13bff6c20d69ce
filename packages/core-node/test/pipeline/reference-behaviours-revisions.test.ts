import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aggregate, amend, evm, forget, post, type Signed, signed, store } from "./support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "./support/state-harness.ts";
import { tell, told } from "./support/told.ts";

/* What the tests of the reference pin, on a node of mainnet: what several messages about one thing amount to. */

const mainnet = networkDefinition("mainnet");
const owner = evm("owner of revisions");
const TIME = 1_700_000_000;
const micros = (seconds: number): bigint => BigInt(TIME + seconds) * 1_000_000n;

describe("the elements of an aggregate", () => {
  const first = aggregate(owner, TIME + 1, "profile", { a: 1, c: 2 });
  const second = aggregate(owner, TIME + 2, "profile", { c: 3, d: 4 });

  /** The aggregate as it is served; null when there is none. */
  const profile = (node: StateHarness): unknown => {
    const [entry] = node.reads.aggregates(owner.address, ["profile"]) ?? [];
    if (entry === undefined) return null;
    const { contentJson, createdMicros, updatedMicros, firstItemHash, lastItemHash } = entry;
    return {
      content: JSON.parse(contentJson) as unknown,
      created: [createdMicros, firstItemHash],
      revised: [updatedMicros, lastItemHash],
    };
  };

  for (const [order, messages] of Object.entries({ "in order": [first, second], late: [second, first] })) {
    test(`merge field by field, the later wins: ${order}`, async () => {
      await using node = await StateHarness.open(mainnet);
      await tell(node, ...messages);
      assert.deepEqual(profile(node), {
        content: { a: 1, c: 3, d: 4 },
        created: [micros(1), first.hash],
        revised: [micros(2), second.hash],
      });
    });
  }

  const remains: readonly (readonly [Signed, Signed, number, object])[] = [
    [first, second, 2, { c: 3, d: 4 }],
    [second, first, 1, { a: 1, c: 2 }],
  ];
  for (const [gone, left, seconds, content] of remains) {
    test(`leave what the ${left === first ? "first" : "last"} says when the other is forgotten`, async () => {
      await using node = await StateHarness.open(mainnet);
      await tell(node, first, second, forget(owner, TIME + 5, [gone.hash]));
      const revision = [micros(seconds), left.hash];
      assert.deepEqual(profile(node), { content, created: revision, revised: revision });
    });
  }

  test("are the aggregate: it ends with the only one", async () => {
    await using node = await StateHarness.open(mainnet);
    await tell(node, first);
    assert.notEqual(profile(node), null);
    assert.deepEqual(await tell(node, forget(owner, TIME + 5, [first.hash])), ["processed"]);
    assert.equal(profile(node), null);
  });
});

describe("the amends of a post", () => {
  const original = post(owner, TIME + 1, "original");
  const earlier = amend(owner, TIME + 2, original.hash, "earlier");
  const later = amend(owner, TIME + 3, original.hash, "later");

  /** What readers are shown of the only post. */
  const shown = (node: StateHarness): unknown => {
    const posts = node.answers().postList ?? [];
    return posts.map((text) => {
      const { item_hash, original_item_hash, content } = JSON.parse(text) as Record<string, unknown>;
      return [item_hash, original_item_hash, (content as { body: unknown }).body];
    });
  };

  test("show the newest by the time in its content, then what is left of them, then the original", async () => {
    await using node = await StateHarness.open(mainnet);
    await tell(node, original, later, earlier);
    assert.deepEqual(shown(node), [[later.hash, original.hash, "later"]]);
    await tell(node, forget(owner, TIME + 10, [later.hash]));
    assert.deepEqual(shown(node), [[earlier.hash, original.hash, "earlier"]]);
    await tell(node, forget(owner, TIME + 11, [earlier.hash]));
    assert.deepEqual(shown(node), [[original.hash, original.hash, "original"]]);
  });

  test("go with the original, by the same FORGET", async () => {
    await using node = await StateHarness.open(mainnet);
    const end = forget(owner, TIME + 10, [original.hash]);
    await tell(node, original, earlier, later, end);
    for (const message of [original, earlier, later]) {
      assert.equal(told(node, message), "forgotten");
      assert.deepEqual(node.view(message.hash)?.forgotten_by, [end.hash]);
    }
    assert.deepEqual(shown(node), []);
  });

  test("dated before the original are kept and not shown", async () => {
    await using node = await StateHarness.open(mainnet);
    const early = amend(owner, TIME, original.hash, "too early");
    assert.deepEqual(await tell(node, original, early), ["processed", "processed"]);
    assert.deepEqual(shown(node), [[original.hash, original.hash, "original"]]);
  });

  test("of an amend are refused", async () => {
    await using node = await StateHarness.open(mainnet);
    const ofAmend = amend(owner, TIME + 4, earlier.hash, "of an amend");
    assert.deepEqual(await tell(node, original, earlier, ofAmend), [
      "processed",
      "processed",
      "rejected 102",
    ]);
  });
});

describe("the name of a file", () => {
  const files = [testFile(0), testFile(1), testFile(2)] as const;
  const first = store(owner, TIME + 1, files[0].hash);

  const leadsTo = (node: StateHarness, ref: string): string | undefined =>
    node.reads.fileByRef(ref, owner.address)?.fileHash;

  for (const [what, ref] of Object.entries({ "the hash of its first STORE": first.hash, "a word": "site" })) {
    test(`that is ${what} leads to the newest revision, whatever came last`, async () => {
      await using node = await StateHarness.open(mainnet);
      await node.hold(...files);
      const oldest = ref === first.hash ? first : store(owner, TIME + 1, files[0].hash, ref);
      const older = store(owner, TIME + 2, files[1].hash, ref);
      const newest = store(owner, TIME + 3, files[2].hash, ref);
      assert.deepEqual(await tell(node, oldest, newest, older), ["processed", "processed", "processed"]);
      assert.equal(leadsTo(node, ref), files[2].hash);
      await tell(node, forget(owner, TIME + 10, [newest.hash]));
      assert.equal(leadsTo(node, ref), files[1].hash);
      await tell(node, forget(owner, TIME + 11, [older.hash]));
      assert.equal(leadsTo(node, ref), files[0].hash);
      await tell(node, forget(owner, TIME + 12, [oldest.hash]));
      assert.equal(leadsTo(node, ref), undefined);
    });
  }

  test("that is a hash must be an original of the same owner, which may come later", async () => {
    await using node = await StateHarness.open(mainnet);
    await node.hold(...files);
    const revision = store(owner, TIME + 2, files[1].hash, first.hash);
    const ofRevision = store(owner, TIME + 3, files[2].hash, revision.hash);
    const ofAnother = store(evm("another owner of files"), TIME + 3, files[2].hash, first.hash);
    await node.submit(revision.text);
    assert.equal(told(node, revision), "pending");
    assert.deepEqual(await tell(node, first, ofRevision, ofAnother), [
      "processed",
      "rejected 201",
      "rejected 2",
    ]);
    assert.equal(told(node, revision), "processed");
    const ofNothing = store(owner, TIME + 4, files[2].hash, files[2].hash);
    assert.deepEqual(await tell(node, ofNothing), ["rejected 200"]);
  });
});

test("a distribution of credits by a stranger is a post like any other", async () => {
  await using node = await StateHarness.open(mainnet);
  const content = { distribution: { credits: [{ address: owner.address, amount: 1_000_000 }] } };
  const gift = signed(
    owner,
    "POST",
    TIME,
    { type: "aleph_credit_distribution", content },
    { channel: "ALEPH_CREDIT" },
  );
  assert.deepEqual(await tell(node, gift), ["processed"]);
  assert.deepEqual(node.messages({ contentTypes: ["aleph_credit_distribution"] }), [gift.hash]);
});
