import assert from "node:assert/strict";
import { test } from "node:test";
import { readMessageSyncLog, SYNC_EVENT_TOPIC } from "@twentysix/contracts";
import { evm, type Signed, signed } from "../pipeline/support/signed.ts";
import { RICH, startChain, type TestChain } from "./support/chain.ts";
import { type ChainNode, startChainNode } from "./support/chain-node.ts";
import { eventually } from "./support/eventually.ts";
import { startRpcProxy, type Verdict } from "./support/rpc-proxy.ts";

const [FIRST, SECOND, OTHER] = RICH;
const author = evm("packed author");
const post = (n: number): Signed =>
  signed(author, "POST", 1_700_000_000 + n, { type: "note", content: { n, text: 'ä "quoted" \u2028' } });
const packing = { periodMs: 50, handoverMs: 0, takeOverMs: 3_000 };
const packer = (key: string, more = {}) => ({ packerKey: key, packing: { ...packing, ...more } });

const confirmedAt = (node: ChainNode, { hash }: Signed) =>
  eventually(
    `the confirmation of ${hash}`,
    () => node.confirmations(hash),
    (list) => list.length > 0,
  );

/** Archives that the chain names, with who sent them. */
async function anchors(chain: TestChain): Promise<{ readonly archive: string; readonly emitter: string }[]> {
  const filter = { address: chain.contract, topics: [SYNC_EVENT_TOPIC], fromBlock: "0x0", toBlock: "latest" };
  const logs = (await chain.rpc("eth_getLogs", filter)) as { topics: string[]; data: string }[];
  return logs.flatMap((log) => {
    const event = readMessageSyncLog(log);
    if (event?.kind !== "sync") return [];
    const { content } = JSON.parse(event.message) as { content: string };
    return [{ archive: content, emitter: event.emitter }];
  });
}

test("what one node packs another one reads, from the beginning", async (context) => {
  const chain = await startChain(context);
  const emitters = [FIRST.address];
  const first = await startChainNode(context, chain, { emitters, settings: packer(FIRST.key) });
  for (let n = 0; n < 40; n += 1) await first.submit(post(n).text);
  for (let n = 0; n < 40; n += 1) await confirmedAt(first, post(n));
  const second = await startChainNode(context, chain, { emitters, peers: [first] });
  for (let n = 0; n < 40; n += 1) await confirmedAt(second, post(n));
  const roots = await Promise.all([first, second].map((node) => node.get("/api/v1/state-root")));
  assert.deepEqual(roots[0], roots[1]);

  const sent = await anchors(chain);
  assert.equal(new Set(sent.map(({ archive }) => archive)).size, sent.length);
  const archived = await Promise.all(
    sent.map(async ({ archive }) =>
      (await fetch(`${second.core.apiUrl}/api/v0/storage/raw/${archive}`)).text(),
    ),
  );
  const messages = archived.flatMap((text) => {
    const parsed = JSON.parse(text) as { content: { messages: Record<string, unknown>[] } };
    assert.ok(text.startsWith('{"protocol":"aleph","version":1,"content":{"messages":[{"sender":'));
    return parsed.content.messages;
  });
  assert.equal(messages.length, 40, "each message is in one archive");
  const keys = "sender chain signature type item_content item_type item_hash time channel".split(" ");
  for (const message of messages) assert.deepEqual(Object.keys(message), keys);
  assert.match(archived[0] ?? "", /"time":\d+\.\d+,"channel":"TEST"\}/);
});

test("two packers do not pack a message twice, and one stands in for the other", async (context) => {
  const chain = await startChain(context);
  const emitters = [FIRST.address, SECOND.address];
  // The hour may end meanwhile: whose turn it was has had its archives read by then.
  const handoverMs = 3_000;
  const hour = (): number => Math.floor(Date.now() / 3_600_000);
  const hourBefore = hour();
  const first = await startChainNode(context, chain, {
    emitters,
    settings: packer(FIRST.key, { handoverMs }),
  });
  const second = await startChainNode(context, chain, {
    emitters,
    settings: packer(SECOND.key, { handoverMs }),
    peers: [first],
  });
  const submit = async (n: number): Promise<void> => {
    for (const node of [first, second]) await node.submit(post(n).text);
  };
  for (let n = 100; n < 120; n += 1) await submit(n);
  for (let n = 100; n < 120; n += 1) {
    for (const node of [first, second]) {
      await confirmedAt(node, post(n));
      assert.equal((await node.confirmations(post(n).hash)).length, 1);
    }
  }
  const sent = await anchors(chain);
  const senders = new Set(sent.map(({ emitter }) => emitter));
  assert.ok(senders.size === 1 || hour() !== hourBefore, "it is one node's turn");
  // Whose turn it is goes away.
  const [gone, left] = sent[0]?.emitter === FIRST.address ? [first, second] : [second, first];
  await gone.core.close();
  await left.submit(post(120).text);
  await confirmedAt(left, post(120));
  const emitter = (await anchors(chain)).at(-1)?.emitter;
  assert.equal(emitter, left === first ? FIRST.address : SECOND.address);
});

test("what a peer alone has is collected before anything is packed", async (context) => {
  const chain = await startChain(context);
  const emitters = [FIRST.address];
  const other = await startChainNode(context, chain, { emitters });
  const node = await startChainNode(context, chain, {
    emitters,
    settings: packer(FIRST.key, { freshMs: 0 }),
    peers: [other],
  });
  await eventually(
    "the first visit",
    () => node.metric("twentysix_sync_visits_total"),
    (count) => count > 0,
  );
  // Nobody gossips it.
  await other.submit(post(600).text);
  await node.submit(post(601).text);
  const [missed] = await confirmedAt(node, post(600));
  const [own] = await confirmedAt(node, post(601));
  assert.ok(missed !== undefined && own !== undefined);
  assert.ok(missed.height <= own.height, "packed with what this node had, or before");
});

for (const [what, verdict] of [
  ["was never sent", "drop"],
  ["was sent without an answer", "swallow-answer"],
] as const satisfies readonly (readonly [string, Verdict])[]) {
  test(`an archive whose transaction ${what} is anchored once, by the node that starts again`, async (context) => {
    const chain = await startChain(context);
    let sends = 0;
    const url = await startRpcProxy(context, chain.url, (method) => {
      if (method !== "eth_sendRawTransaction") return "pass";
      sends += 1;
      return sends === 1 ? verdict : "drop";
    });
    const emitters = [FIRST.address];
    const settings = packer(FIRST.key);
    const before = await startChainNode(context, { ...chain, url }, { emitters, settings });
    await before.submit(post(200).text);
    await eventually(
      "the attempt to send",
      async () => sends,
      (count) => count > 0,
    );
    await before.core.close();
    const { dataDir } = before;
    const after = await startChainNode(context, chain, { emitters, settings, dataDir });
    await confirmedAt(after, post(200));
    await after.submit(post(201).text);
    await confirmedAt(after, post(201));
    assert.equal((await after.confirmations(post(200).hash)).length, 1);
    assert.equal((await anchors(chain)).length, 2, "one for each message");
  });
}

test("a transaction that is stuck is replaced by one with higher fees", async (context) => {
  const chain = await startChain(context);
  const emitters = [FIRST.address];
  await chain.rpc("evm_setAutomine", false);
  const node = await startChainNode(context, chain, {
    emitters,
    settings: packer(FIRST.key, { stuckMs: 300 }),
  });
  await node.submit(post(300).text);
  const pending = async (): Promise<string[]> => {
    const pool = (await chain.rpc("txpool_content")) as {
      pending: Record<string, Record<string, { hash: string }>>;
    };
    return Object.values(pool.pending).flatMap((byNonce) => Object.values(byNonce).map(({ hash }) => hash));
  };
  const [stuck] = await eventually("the transaction", pending, (hashes) => hashes.length === 1);
  const [replacement] = await eventually("its replacement", pending, (hashes) => hashes[0] !== stuck);
  assert.ok(replacement);
  await chain.mine(1);
  const [confirmed] = await confirmedAt(node, post(300));
  assert.ok(confirmed);
  assert.notEqual(confirmed.hash, stuck);
  assert.equal((await anchors(chain)).length, 1);
});

test("an archive that is not mined in time gives way to another one with the same nonce", async (context) => {
  const chain = await startChain(context);
  await chain.rpc("evm_setAutomine", false);
  const node = await startChainNode(context, chain, {
    emitters: [FIRST.address],
    settings: packer(FIRST.key, { expiryMs: 300 }),
  });
  await node.submit(post(310).text);
  await eventually(
    "the second archive",
    () => node.metric("twentysix_packed_archives_total"),
    (count) => count >= 2,
  );
  await node.submit(post(311).text);
  await chain.rpc("evm_setAutomine", true);
  await chain.mine(1);
  for (const n of [310, 311]) {
    await confirmedAt(node, post(n));
    assert.equal((await node.confirmations(post(n).hash)).length, 1);
  }
});

test("what was written down under another key is sent all the same, and holds nothing up", async (context) => {
  const chain = await startChain(context);
  let sends = 0;
  const url = await startRpcProxy(context, chain.url, (method) => {
    if (method !== "eth_sendRawTransaction") return "pass";
    sends += 1;
    return "drop";
  });
  const emitters = [FIRST.address, SECOND.address];
  const takeOverMs = 0;
  const before = await startChainNode(
    context,
    { ...chain, url },
    { emitters, settings: packer(FIRST.key, { takeOverMs }) },
  );
  await before.submit(post(330).text);
  await eventually(
    "the attempt to send",
    async () => sends,
    (count) => count > 0,
  );
  await before.core.close();
  const { dataDir } = before;
  const settings = packer(SECOND.key, { takeOverMs });
  const after = await startChainNode(context, chain, { emitters, settings, dataDir });
  await after.submit(post(331).text);
  for (const n of [330, 331]) {
    await confirmedAt(after, post(n));
    assert.equal((await after.confirmations(post(n).hash)).length, 1);
  }
  const senders = (await anchors(chain)).map(({ emitter }) => emitter);
  assert.deepEqual(senders.sort(), [SECOND.address, FIRST.address].sort());
});

test("messages whose transaction lost its nonce to another one are packed again", async (context) => {
  const chain = await startChain(context);
  let isOpen = false;
  let sends = 0;
  const url = await startRpcProxy(context, chain.url, (method) => {
    if (method !== "eth_sendRawTransaction") return "pass";
    sends += 1;
    return isOpen ? "pass" : "drop";
  });
  const node = await startChainNode(
    context,
    { ...chain, url },
    { emitters: [FIRST.address], settings: packer(FIRST.key) },
  );
  await node.submit(post(320).text);
  await eventually(
    "the attempt to send",
    async () => sends,
    (count) => count > 0,
  );
  // Somebody else uses the account.
  await chain.message(FIRST.address, "NOTHING", "");
  isOpen = true;
  await confirmedAt(node, post(320));
  assert.equal((await anchors(chain)).length, 1);
});

test("nothing is sent while the chain asks more than is allowed", async (context) => {
  const chain = await startChain(context);
  const node = await startChainNode(context, chain, {
    emitters: [FIRST.address],
    settings: packer(FIRST.key, { maxFeePerGas: 1n }),
  });
  await node.submit(post(400).text);
  await eventually(
    "the warning",
    async () => node.log.records.some(({ message }) => message.startsWith("Anchoring waits")),
    (isThere) => isThere,
  );
  assert.deepEqual(await anchors(chain), []);
});

test("poisoned transactions do not stop the packer", async (context) => {
  const chain = await startChain(context);
  const node = await startChainNode(context, chain, {
    emitters: [FIRST.address, OTHER.address],
    settings: packer(FIRST.key, { takeOverMs: 0 }),
  });
  const missing = "QmaMLRsvmDRCezZe2iebcKWtEzKNjBaQfwcu7mcpdm8eY2";
  for (let n = 0; n < 250; n += 1) await chain.message(SECOND.address, "STORE_IPFS", `no CID ${n}`);
  await chain.emit(OTHER.address, "not JSON");
  await chain.emit(
    OTHER.address,
    JSON.stringify({ protocol: "aleph-offchain", version: 1, content: missing }),
  );
  await node.submit(post(500).text);
  await confirmedAt(node, post(500));
});

test("a node whose archives nobody would read does not start", async (context) => {
  const chain = await startChain(context);
  await assert.rejects(
    startChainNode(context, chain, { emitters: [OTHER.address], settings: packer(FIRST.key) }),
    { code: "CHAIN_SETTINGS_INVALID" },
  );
});
