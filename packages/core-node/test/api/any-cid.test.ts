import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startRealNode } from "./support/real-node.ts";

/** Of a raw leaf, which only a network of any CID can have. */
const RAW_CID = "bafkreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje";

test("on a network of any CID, messages and files are found by one", async (t) => {
  const node = await startRealNode(t);
  const listed = async (filter: string): Promise<string[]> => {
    const { messages } = (await node.json(`/api/v0/messages.json?${filter}`)) as {
      messages: { item_hash: string }[];
    };
    return messages.map((message) => message.item_hash);
  };
  const file = { hash: RAW_CID, sizeBytes: 5, type: "file", sha256: null, cid: null } as const;
  await writeFile(join(node.services.files.folder, RAW_CID), "bytes");
  await node.services.files.onRegister(file, 2n ** 60n);
  assert.equal((await node.get(`/api/v0/storage/raw/${RAW_CID}`, { method: "HEAD" })).status, 200);
  const stored = await node.put({
    type: "STORE",
    members: `"item_type":"ipfs","item_hash":"${RAW_CID}"`,
  });
  assert.deepEqual(await listed(`contentHashes=${RAW_CID}`), [stored]);
  assert.deepEqual(await listed(`hashes=${RAW_CID}`), []);

  const { text } = await node.sign({ type: "POST", members: `"type":"note","content":{}` });
  const { item_content: _inline, ...envelope } = JSON.parse(text);
  const signature = await node.account.sign({ type: "POST", itemHash: RAW_CID, timeMicros: 0n });
  const onIpfs = JSON.stringify({ ...envelope, item_type: "ipfs", item_hash: RAW_CID, signature });
  await node.pipeline.submit(onIpfs, { origin: "http" });
  for (const path of [RAW_CID, `${RAW_CID}/status`, `${RAW_CID}/events`]) {
    const { status } = (await node.json(`/api/v0/messages/${path}`)) as { status: string };
    assert.equal(status, "pending", path);
  }
  assert.equal((await node.get(`/api/v0/messages/${RAW_CID}/content`)).status, 422);
  assert.equal((await node.get(`/api/v0/storage/by-message-hash/${RAW_CID}`)).status, 404);
  assert.equal((await node.get(`/api/v0/storage/by-ref/${RAW_CID}`)).status, 404);
});
