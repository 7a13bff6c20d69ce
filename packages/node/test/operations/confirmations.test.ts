import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { getJson, post, putRaw, rawAccount, signRaw } from "../support/raw-messages.ts";
import { storedEnvelope, uploadContent } from "../support/stored-envelope.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

/* What a chain says of a message is kept whatever stands of the message on this node, and shown by the API. */

const author = rawAccount("author on a chain");
const delegate = rawAccount("delegate on a chain");

const confirmationOf = (hash: string, height: number) => ({
  hash,
  chain: "ETH",
  txHash: `0x${height.toString(16).padStart(64, "0")}`,
  height,
  timeMicros: 1_700_000_100_000_000n + BigInt(height),
  publisher: "0x23eC28598DCeB2f7082Cc3a9D670592DfEd6e0dC",
});

interface View {
  readonly status: string;
  readonly message?: { readonly confirmed: boolean; readonly confirmations: readonly { height: number }[] };
}

for (const network of ["mainnet", "local"]) {
  describe(`on ${network} a confirmation`, () => {
    let node: TestNode;
    before(async () => {
      node = await startTestNode({ network });
    });
    after(() => node.remove());

    const confirm = (hash: string, height: number) =>
      node.core.pipeline.confirm(confirmationOf(hash, height));
    const view = (hash: string) => getJson<View>(node, `/api/v0/messages/${hash}`);
    const heights = async (hash: string) => {
      const { message } = await view(hash);
      assert.equal(message?.confirmed, (message?.confirmations.length ?? 0) > 0);
      return message?.confirmations.map(({ height }) => height);
    };
    /** Heights of the confirmations that the event log of the message tells of. */
    const told = async (hash: string) => {
      const path = `/api/v0/messages/${hash}/events`;
      const { events } = await getJson<{ events: { kind: string; cause: unknown }[] }>(node, path);
      return events
        .filter(({ kind }) => kind === "confirmed")
        .map(
          ({ cause }) =>
            ((typeof cause === "string" ? JSON.parse(cause) : cause) as { height: number }).height,
        );
    };

    test("of a pending message is told at once, and shown with it once it is processed", async () => {
      const message = await signRaw({ type: "POST", members: '"type":"t","content":{}', account: author });
      const answer = await post(node, "/api/v0/messages", `{"message":${storedEnvelope(message)}}`);
      assert.equal(answer.status, 202, answer.text);
      await confirm(message.itemHash, 200);
      await confirm(message.itemHash, 100);
      await confirm(message.itemHash, 200);
      assert.equal((await view(message.itemHash)).status, "pending");
      assert.deepEqual(await told(message.itemHash), [200, 100]);
      await uploadContent(node, message.content);
      await eventually(async () => (await view(message.itemHash)).status === "processed");
      assert.deepEqual((await heights(message.itemHash))?.toSorted(), [100, 200]);
      const path = `/api/v0/messages.json?startBlock=100&endBlock=101&hashes=${message.itemHash}`;
      const { messages } = await getJson<{ messages: { item_hash: string }[] }>(node, path);
      assert.deepEqual(
        messages.map(({ item_hash }) => item_hash),
        [message.itemHash],
      );
    });

    test("of a message that nobody has sent yet is shown with it when it comes", async () => {
      const members = '"type":"t","content":{"n":1}';
      const { itemHash } = await signRaw({ type: "POST", members, account: author });
      await confirm(itemHash, 300);
      await putRaw(node, { type: "POST", members, account: author });
      assert.deepEqual(await heights(itemHash), [300]);
    });

    test("of a forgotten message is told, and does not bring it back", async () => {
      const note = await putRaw(node, {
        type: "POST",
        members: '"type":"t","content":{"n":2}',
        account: author,
      });
      await putRaw(node, { type: "FORGET", members: `"hashes":["${note.itemHash}"]`, account: author });
      await confirm(note.itemHash, 400);
      await confirm(note.itemHash, 400);
      assert.equal((await view(note.itemHash)).status, "forgotten");
      assert.deepEqual(await told(note.itemHash), [400]);
      await node.restart();
      assert.equal((await view(note.itemHash)).status, "forgotten");
      assert.deepEqual(await told(note.itemHash), [400]);
    });

    if (network === "local") {
      test("of a forgotten message is shown with it when the FORGET no longer holds", async () => {
        const security = (time: string, authorizations: string) =>
          putRaw(node, {
            type: "AGGREGATE",
            members: `"key":"security","content":{"authorizations":[${authorizations}]}`,
            account: author,
            time,
          });
        await security("1700000010.0", `{"address":"${delegate.address}"}`);
        const members = '"type":"t","content":{"n":3}';
        const note = await putRaw(node, { type: "POST", members, account: author });
        await putRaw(node, {
          type: "FORGET",
          members: `"hashes":["${note.itemHash}"]`,
          account: delegate,
          owner: author.address,
          time: "1700000030.0",
        });
        await confirm(note.itemHash, 500);
        assert.equal((await view(note.itemHash)).status, "forgotten");
        await security("1700000020.0", "");
        await eventually(async () => (await view(note.itemHash)).status === "processed");
        assert.deepEqual(await heights(note.itemHash), [500]);
      });
    }
  });
}
