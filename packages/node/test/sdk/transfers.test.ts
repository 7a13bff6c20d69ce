import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { LocalAccount } from "@twentysix/protocol";
import { isSdkError } from "@twentysix/sdk";
import { loadNetwork } from "../../src/index.ts";
import { localAccount } from "../support/funds.ts";
import { all, evmAccount, sdkClient } from "../support/sdk-client.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

let node: TestNode;
before(async () => {
  node = await startTestNode();
});
after(() => node.remove());

const client = () => sdkClient(node);
const EXPIRATION_MS = 4_000_000_000_000;
const issuer = localAccount(loadNetwork("local").authorities.credits.addresses[0]);

/** Gives the sender credits, as of now: what is granted later cannot be sent. */
async function grant(amount: number, expiration: number | null): Promise<void> {
  const entry = { address: sender.address, amount, price: "1", tx_hash: "0x1", provider: "test", expiration };
  const distribution = { token: "TEST", chain: "ETH", credits: [entry] };
  const post = { type: "aleph_credit_distribution", channel: "ALEPH_CREDIT", content: { distribution } };
  await client().createPost({ account: issuer, ...post, sync: true });
}

let made = 0;
let sender: LocalAccount;
let friend: string;
beforeEach(async () => {
  made += 1;
  sender = evmAccount(`sender ${made}`);
  friend = evmAccount(`friend ${made}`).address;
  await grant(100, EXPIRATION_MS);
  await grant(200, null);
});

const creditsOf = async (address: string): Promise<bigint> =>
  (await client().getBalance({ address })).credits;
const transfersOf = (address: string) =>
  all(client().iteratePosts({ owners: [address], types: ["aleph_credit_transfer"] }));

describe("a transfer of credits", { timeout: 60_000 }, () => {
  test("has a receipt: what the other got, until when, and what is left", async () => {
    const nonce = client().createTransferNonce(sender);
    const receipt = await client().transferCredits({
      account: sender,
      entries: [{ address: friend, amount: 250n }],
      nonce,
    });
    const { itemHash, isNew, portions, creditsLeft, time } = receipt;
    assert.deepEqual([isNew, creditsLeft], [true, 50n]);
    assert.deepEqual(portions, [
      {
        address: friend,
        amount: 100n,
        expirationDate: new Date(EXPIRATION_MS).toISOString().replace("Z", "000Z"),
      },
      { address: friend, amount: 150n, expirationDate: null },
    ]);
    const [post] = await transfersOf(sender.address);
    assert.equal(post?.original_item_hash, itemHash);
    assert.equal(
      Date.parse(String(time)),
      Math.floor(Number(nonce.slice(1, -17)) / 1_000),
      "the time of the nonce",
    );
  });

  test("is one message however often and at once it is sent, by whoever knows the nonce", async () => {
    const nonce = client().createTransferNonce(sender);
    const request = { account: sender, entries: [{ address: friend, amount: 30n }], nonce };
    const receipts = await Promise.all([1, 2, 3].map(() => client().transferCredits(request)));
    const again = await client().transferCredits(request);
    assert.equal(new Set([...receipts, again].map(({ itemHash }) => itemHash)).size, 1);
    assert.equal(again.isNew, false);
    assert.equal((await transfersOf(sender.address)).length, 1);
    assert.deepEqual([await creditsOf(friend), await creditsOf(sender.address)], [30n, 270n]);
  });

  test("under a nonce of one's own is recognised once it was applied", async () => {
    const request = { account: sender, entries: [{ address: friend, amount: 5n }], nonce: `order ${made}` };
    const first = await client().transferCredits(request);
    const again = await client().transferCredits(request);
    assert.deepEqual([again.itemHash, again.isNew, again.portions], [first.itemHash, false, first.portions]);
    await assert.rejects(
      client().transferCredits({ ...request, entries: [{ address: friend, amount: 6n }] }),
      (error) => isSdkError(error, "SDK_NONCE_REUSED") && error.details.itemHash === first.itemHash,
    );
    assert.equal(await creditsOf(friend), 5n);
  });

  test("that cannot be covered says by how much, and sends nothing", async () => {
    const nonce = client().createTransferNonce(sender);
    const entries = [{ address: friend, amount: 312n }];
    await assert.rejects(client().transferCredits({ account: sender, entries, nonce }), (error) => {
      assert.ok(isSdkError(error, "SDK_CREDITS_INSUFFICIENT"));
      assert.match(error.message, /has 300 credits and 312 are to be sent: insufficient by 12/);
      assert.deepEqual(error.details, {
        address: sender.address,
        required: 312n,
        available: 300n,
        missing: 12n,
      });
      return true;
    });
    const early = {
      account: sender,
      entries: [{ address: friend, amount: 1n }],
      nonce: `t1000000001-${"0".repeat(16)}`,
    };
    await assert.rejects(client().transferCredits(early), (error) => {
      assert.ok(isSdkError(error, "SDK_CREDITS_INSUFFICIENT"));
      return error.details.missing === 1n;
    });
    assert.equal(await creditsOf(friend), 0n);
  });

  test("with what no node takes is refused before anything is sent", async () => {
    const entry = { address: friend, amount: 1n };
    const good = { account: sender, entries: [entry], nonce: client().createTransferNonce(sender) };
    for (const bad of [
      { expirationMs: 1_790_000_000 },
      { nonce: "" },
      { entries: [] },
      { entries: [entry, entry] },
      { entries: [{ address: sender.address, amount: 1n }] },
      { entries: [{ address: friend, amount: 0n }] },
    ]) {
      await assert.rejects(client().transferCredits({ ...good, ...bad }), { code: "SDK_INVALID_INPUT" });
    }
    assert.deepEqual(await transfersOf(sender.address), []);
  });

  test("that ends in 1970 because its date is in seconds is refused by the node too", async () => {
    const transfer = { credits: [{ address: friend, amount: 1, expiration: 99_999_999_999 }] };
    const post = { type: "aleph_credit_transfer", channel: "ALEPH_CREDIT", sync: true };
    await assert.rejects(
      client().createPost({ account: sender, content: { transfer }, ...post }),
      (error) => {
        assert.ok(isSdkError(error, "SDK_REJECTED"));
        return /expiration 99999999999 is not in milliseconds/.test(error.message);
      },
    );
    const least = { credits: [{ address: friend, amount: 1, expiration: 100_000_000_000 }] };
    await client().createPost({ account: sender, content: { transfer: least }, ...post });
    assert.equal(await creditsOf(sender.address), 299n, "the least that can be milliseconds is taken");
  });
});
