import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { writeNetwork } from "../support/network-file.ts";
import { getJson, post, putRaw, rawAccount, type SignedText, signRaw } from "../support/raw-messages.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestNode } from "../support/test-node.ts";

/*
 * A network whose rules let a delegate with a broad right rewrite the permissions of the owner. A node takes such
 * a message from others, or it would drift apart from them; its own submit endpoint does not begin with it.
 */
const folder = temporaryFolder("delegates");
const network = writeNetwork(folder.path, "mainnet", {});
const node = await startTestNode({ network });
after(async () => {
  await node.remove();
  folder[Symbol.dispose]();
});

const ROUTE = "/api/v0/messages";
const owner = rawAccount("owner");
const delegate = rawAccount("delegate");
let second = 1_700_000_000;
const time = (): string => `${second++}.5`;

const security = (of: typeof owner, entries: string): Promise<SignedText> =>
  signRaw({
    account: of,
    owner: owner.address,
    type: "AGGREGATE",
    time: time(),
    members: `"key":"security","content":{"authorizations":[${entries}]}`,
  });

async function assertDenied({ envelope, itemHash }: SignedText): Promise<void> {
  const answer = await post(node, ROUTE, `{"sync":true,"message":${envelope}}`);
  assert.equal(answer.status, 422, answer.text);
  const body = JSON.parse(answer.text) as { error_code: number; details: unknown };
  const reason = `Sender ${delegate.address} is not authorized to post on behalf of address ${owner.address}`;
  assert.deepEqual([body.error_code, body.details], [2, { errors: [reason] }]);
  assert.equal((await getJson(node, `${ROUTE}/${itemHash}`)).status, "rejected");
}

/** What no client of this node submits. */
const OTHER_SOURCES = ["p2p", "ipfs", "import", "onchain"] as const;
const fromSource = async (
  { envelope }: SignedText,
  origin: (typeof OTHER_SOURCES)[number],
): Promise<string> => (await node.core.pipeline.submit(envelope, { origin })).status;

describe("a delegate with a broad right", async () => {
  const everything = `{"address":"${delegate.address}"}`;
  const members = `"key":"security","content":{"authorizations":[${everything}]}`;
  const granted = await putRaw(node, { account: owner, type: "AGGREGATE", time: time(), members });

  test("may write other aggregates of the owner", async () => {
    const other = '"key":"profile","content":{"name":"Ada"}';
    await putRaw(node, {
      account: delegate,
      owner: owner.address,
      type: "AGGREGATE",
      time: time(),
      members: other,
    });
  });

  test("may not submit a change of the permissions, which other sources may bring", async () => {
    const rewritten = await security(delegate, everything);
    await assertDenied(rewritten);
    // A later change by the owner wakes what waits for it, and does not let this in.
    await putRaw(node, { account: owner, type: "AGGREGATE", time: time(), members });
    assert.equal((await getJson(node, `${ROUTE}/${rewritten.itemHash}`)).status, "rejected");
    assert.equal(await fromSource(rewritten, "p2p"), "processed");
    for (const origin of OTHER_SOURCES) {
      assert.equal(await fromSource(await security(delegate, everything), origin), "processed", origin);
    }
  });

  test("may not submit a FORGET of the permissions, which other sources may bring", async () => {
    const forget = await signRaw({
      account: delegate,
      type: "FORGET",
      time: time(),
      members: `"hashes":["${granted.itemHash}"],"aggregates":[]`,
    });
    await assertDenied(forget);
    assert.equal(await fromSource(forget, "onchain"), "processed");
  });
});
