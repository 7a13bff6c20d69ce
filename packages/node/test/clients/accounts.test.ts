import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";
import type { MessageType } from "@aleph-sdk/message";
import { ACCOUNT_FAMILIES, publishedClient, tezosAccount } from "../support/published-client.ts";
import { startTestNode } from "../support/test-node.ts";

const node = await startTestNode();
after(() => node.remove());

describe("accounts of the published packages", { timeout: 60_000 }, () => {
  for (const [chain, createAccount] of Object.entries(ACCOUNT_FAMILIES)) {
    test(`${chain} signs, and the node accepts and shows it`, async () => {
      const account = await createAccount();
      const client = publishedClient(node, account);
      const content = { said: `by ${chain}` };
      const sent = await client.createPost({ postType: "family", content, channel: "FAMILY", sync: true });
      const shown = await client.getMessage<MessageType.post, typeof content>(sent.item_hash);
      assert.equal(shown.chain, chain);
      assert.equal(shown.sender, account.address);
      assert.equal(shown.signature, sent.signature);
      assert.deepEqual(shown.content.content, content);
      const listed = await client.getMessages({ addresses: [account.address], chains: [account.getChain()] });
      assert.deepEqual(
        listed.messages.map((message) => message.item_hash),
        [sent.item_hash],
      );
    });

    test(`${chain}: its signature under other content is refused`, async () => {
      const client = publishedClient(node, await createAccount());
      const sent = await client.createPost({ postType: "family", content: { n: 1 }, channel: "FAMILY" });
      const item_content = String(sent.item_content).replace('"n":1', '"n":2');
      const item_hash = createHash("sha256").update(item_content).digest("hex");
      const answer = await fetch(`${node.apiUrl}/api/v0/messages`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ sync: true, message: { ...sent, item_content, item_hash } }),
      });
      assert.equal(answer.status, 422);
      const posts = await client.getPosts({ hashes: [item_hash], types: "family" });
      assert.deepEqual(posts.posts, []);
    });
  }

  test("TEZOS as published signs another time than it sends: refused, as every node does", async () => {
    const client = publishedClient(node, await tezosAccount());
    const sending = client.createPost({ postType: "family", content: {}, channel: "FAMILY", sync: true });
    await assert.rejects(sending, { name: "InvalidMessageError" });
  });
});
