import assert from "node:assert/strict";
import { test } from "node:test";
import { FileNamer } from "@twentysix/storage";
import { archivePayload } from "../../src/chain/sync-payload.ts";
import { evm, type Signed, signed } from "../pipeline/support/signed.ts";
import { RICH, startChain } from "./support/chain.ts";
import { startChainNode } from "./support/chain-node.ts";
import { eventually } from "./support/eventually.ts";

const [EMITTER] = RICH;
const author = evm("archive author");
const post = (n: number): Signed =>
  signed(author, "POST", 1_700_000_000 + n, { type: "note", content: { n } });
const archiveOf = (messages: readonly Signed[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(
    Buffer.from(
      `{"protocol":"aleph","version":1,"content":{"messages":[${messages.map(({ text }) => text).join(",")}]}}`,
    ),
  );

test("an archive comes from a peer and is kept; its messages have their confirmation", async (context) => {
  const chain = await startChain(context);
  const holder = await startChainNode(context, chain, { settings: { rpc: {} } });
  const node = await startChainNode(context, chain, { peers: [holder] });
  const messages = Array.from({ length: 700 }, (_, n) => post(n));
  const bytes = archiveOf(messages);
  const hash = await holder.upload(bytes);
  const txHash = await chain.emit(EMITTER.address, archivePayload(hash));
  const last = messages.at(-1)?.hash ?? "";
  const [confirmed] = await eventually(
    "the last message",
    () => node.confirmations(last),
    (list) => list.length > 0,
  );
  assert.equal(confirmed?.hash, txHash);
  await eventually(
    "all messages",
    () => node.get("/api/v0/messages.json?pagination=1") as Promise<{ pagination_total: number }>,
    (page) => page.pagination_total === 700,
  );
  const served = await fetch(`${node.core.apiUrl}/api/v0/storage/raw/${hash}`);
  assert.deepEqual(new Uint8Array(await served.arrayBuffer()), bytes);
  assert.equal(await node.get(`/api/v0/storage/count/${hash}`), 1);
});

test("an archive that nobody has is asked for until somebody has it", async (context) => {
  const chain = await startChain(context);
  const holder = await startChainNode(context, chain, { settings: { rpc: {} } });
  const node = await startChainNode(context, chain, { peers: [holder] });
  const bytes = archiveOf([post(1)]);
  const namer = new FileNamer(["cidV0"]);
  namer.update(bytes);
  const hash = namer.finish().cidV0 ?? "";
  await chain.emit(EMITTER.address, archivePayload(hash));
  await eventually(
    "the first failure",
    async () => node.log.records.filter(({ message }) => message.includes("tried again later")).length,
    (count) => count > 0,
  );
  assert.equal(await holder.upload(bytes), hash);
  await eventually(
    "the message",
    () => node.confirmations(post(1).hash),
    (list) => list.length > 0,
  );
});

test("a bad message of an archive leaves the others as they are", async (context) => {
  const chain = await startChain(context);
  const forged = { ...post(3), text: post(3).text.replace(/"signature":"0x.{8}/, '"signature":"0x00000000') };
  assert.notEqual(forged.text, post(3).text);
  const node = await startChainNode(context, chain);
  const hash = await node.upload(archiveOf([forged, { hash: "", text: '{"not":"a message"}' }, post(4)]));
  await chain.emit(EMITTER.address, archivePayload(hash));
  await eventually(
    "the good message",
    () => node.confirmations(post(4).hash),
    (list) => list.length > 0,
  );
  await node.submit(post(3).text);
  assert.deepEqual(await node.confirmations(post(3).hash), [], "a forged copy proves nothing");
});
