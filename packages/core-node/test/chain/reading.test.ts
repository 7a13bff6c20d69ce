import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeEmit } from "@twentysix/contracts";
import { openConnection } from "@twentysix/storage";
import { dataPaths } from "../../src/data-paths.ts";
import { evm, type Signed, signed } from "../pipeline/support/signed.ts";
import { RICH, startChain } from "./support/chain.ts";
import { startChainNode } from "./support/chain-node.ts";
import { eventually } from "./support/eventually.ts";

const [EMITTER, OTHER] = RICH;
const author = evm("chain author");
const post = (n: number): Signed =>
  signed(author, "POST", 1_700_000_000 + n, { type: "note", content: { n } });

/** Messages inside of the transaction itself. */
const inline = (...messages: readonly Signed[]): string =>
  `{"protocol":"aleph","version":1,"content":{"messages":[${messages.map(({ text }) => text).join(",")}]}}`;

test("messages of an authorised emitter come in with their confirmation, those of others do not", async (context) => {
  const chain = await startChain(context);
  const node = await startChainNode(context, chain, { emitters: [EMITTER.address] });
  await chain.emit(OTHER.address, inline(post(1)));
  const txHash = await chain.emit(EMITTER.address, inline(post(2)));
  const height = await chain.head();
  const confirmed = await eventually(
    "the confirmations",
    () => node.confirmations(post(2).hash),
    (list) => list.length > 0,
  );
  assert.deepEqual(
    confirmed.map((one) => [one.chain, one.hash, one.height]),
    [["ETH", txHash, height]],
  );
  const other = (await node.get(`/api/v0/messages/${post(1).hash}`)) as { status?: string };
  assert.equal(other.status, undefined);
});

test("what is known, pending or forgotten is confirmed too", async (context) => {
  const chain = await startChain(context);
  const node = await startChainNode(context, chain);
  const gone = post(11);
  const forget = signed(author, "FORGET", 1_700_000_100, {
    hashes: [gone.hash],
    aggregates: [],
    reason: "gone",
  });
  const missing = post(13);
  const amend = signed(author, "POST", 1_700_000_200, {
    type: "amend",
    content: { n: 1 },
    ref: missing.hash,
  });
  for (const message of [post(10), gone, forget, amend]) await node.submit(message.text);
  const txHash = await chain.emit(EMITTER.address, inline(post(10), gone, amend));
  await eventually(
    "the confirmations",
    () => node.confirmations(post(10).hash),
    (list) => list.length === 1,
  );
  await node.submit(missing.text);
  const late = await eventually(
    "those of the amend",
    () => node.confirmations(amend.hash),
    (list) => list.length > 0,
  );
  assert.equal(late[0]?.hash, txHash);
  const events = (await node.core.reads.eventsOf(gone.hash)).map((event) => event.kind);
  assert.ok(events.includes("confirmed"), events.join());
});

test("whoever calls the contract is the sender of a message", async (context) => {
  const chain = await startChain(context);
  const node = await startChainNode(context, chain, { emitters: [] });
  const content = `{"address": "${OTHER.address}", "time": 1700000000.5, "type": "note", "content": {"by": "contract"}}`;
  await chain.message(OTHER.address, "POST", content);
  const list = await eventually(
    "the messages of the caller",
    () => node.get(`/api/v0/messages.json?addresses=${OTHER.address}`) as Promise<{ messages: Received[] }>,
    ({ messages }) => messages.length > 0,
  );
  const [message] = list.messages;
  assert.equal(message?.item_content, content);
  assert.equal(message?.signature, null);
  assert.equal(message?.confirmed, true);
});

interface Chains {
  readonly troubled: readonly {
    readonly state: string;
    readonly error: string | null;
    readonly attempts: number;
    readonly next_attempt: string | null;
  }[];
  readonly sources: readonly {
    readonly chain: string;
    readonly source: string;
    readonly remaining_blocks: number;
  }[];
}

interface Received {
  readonly item_content: string;
  readonly signature: string | null;
  readonly confirmed: boolean;
}

test("nobody confirms the message of another by writing its content to the contract", async (context) => {
  const chain = await startChain(context);
  const node = await startChainNode(context, chain, { emitters: [] });
  const theirs = post(20);
  await node.submit(theirs.text);
  const { item_content: content } = JSON.parse(theirs.text) as { item_content: string };
  await chain.message(OTHER.address, "POST", content);
  const own = `{"address": "${OTHER.address}", "time": 1700000000.5, "type": "note", "content": {}}`;
  await chain.message(OTHER.address, "POST", own);
  await eventually(
    "the message after it",
    () => node.get(`/api/v0/messages.json?addresses=${OTHER.address}`) as Promise<{ messages: Received[] }>,
    ({ messages }) => messages.length > 0,
  );
  assert.deepEqual(await node.confirmations(theirs.hash), []);
});

test("a reorganisation undoes the confirmations of the blocks that are no more", async (context) => {
  const chain = await startChain(context);
  const node = await startChainNode(context, chain);
  await chain.emit(EMITTER.address, inline(post(30)));
  await chain.mine(3);
  const snapshot = await chain.rpc("evm_snapshot");
  const txHash = await chain.emit(EMITTER.address, inline(post(30), post(31)));
  await chain.mine(2);
  await eventually(
    "both confirmations",
    () => node.confirmations(post(30).hash),
    (list) => list.length === 2,
  );
  await chain.rpc("evm_revert", snapshot);
  await chain.rpc("evm_increaseTime", 1_000);
  await chain.mine(6);
  const left = await eventually(
    "what is left of them",
    () => node.confirmations(post(30).hash),
    (list) => list.length === 1,
  );
  assert.notEqual(left[0]?.hash, txHash);
  assert.deepEqual(await node.confirmations(post(31).hash), []);
  const unconfirmed = (await node.get(`/api/v0/messages/${post(31).hash}`)) as { status: string };
  assert.equal(unconfirmed.status, "processed");
  assert.equal(await node.metric("twentysix_chain_rewinds_total"), 1);
  // The reader goes on along the new blocks.
  await chain.emit(EMITTER.address, inline(post(31)));
  await eventually(
    "the new confirmation",
    () => node.confirmations(post(31).hash),
    (list) => list.length === 1,
  );
});

test("events count once enough blocks stand on top of theirs", async (context) => {
  const chain = await startChain(context);
  const node = await startChainNode(context, chain, { finalityDepth: 5 });
  await chain.emit(EMITTER.address, inline(post(40)));
  await chain.mine(4);
  const height = await chain.head();
  await eventually(
    "the height that was read to",
    () => node.metric("twentysix_chain_height_blocks"),
    (read) => read === height - 5,
  );
  const status = (await node.get("/metrics.json")) as Record<string, number>;
  assert.equal(status.pyaleph_status_chain_eth_last_committed_height, height - 5);
  assert.equal(status.pyaleph_status_chain_eth_height_remaining_total, 0);
  assert.deepEqual(await node.confirmations(post(40).hash), []);
  await chain.mine(1);
  await eventually(
    "the confirmation",
    () => node.confirmations(post(40).hash),
    (list) => list.length === 1,
  );
});

test("what cannot be read is set aside and holds nothing up", async (context) => {
  const chain = await startChain(context);
  const node = await startChainNode(context, chain);
  const broken = [
    "no JSON",
    '{"protocol":"aleph","version":1}',
    '{"protocol":"aleph","version":2,"content":{"messages":[]}}',
    '{"protocol":"other","version":1,"content":{}}',
    '{"protocol":"aleph-offchain","version":1,"content":"no hash"}',
    '{"protocol":"aleph","version":1,"content":{"messages":[]}}',
  ];
  for (const text of broken) await chain.emit(EMITTER.address, text);
  await chain.message(OTHER.address, "STORE_IPFS", "no CID");
  await chain.message(OTHER.address, "NOTHING", "{}");
  // Nobody has this archive: it is tried again, however often.
  const missing = "QmaMLRsvmDRCezZe2iebcKWtEzKNjBaQfwcu7mcpdm8eY2";
  await chain.emit(EMITTER.address, `{"protocol":"aleph-offchain","version":1,"content":"${missing}"}`);
  await chain.emit(EMITTER.address, inline(post(50)));
  await eventually(
    "the confirmation behind all of them",
    () => node.confirmations(post(50).hash),
    (list) => list.length === 1,
  );
  const refused = await eventually(
    "the refused events",
    () => node.metric('twentysix_chain_events{state="refused"}'),
    (count) => count === 8,
  );
  assert.equal(refused, 8);
  assert.equal(await node.metric('twentysix_chain_events{state="waiting"}'), 1);
  const status = (await node.get("/metrics.json")) as Record<string, number>;
  assert.equal(status.pyaleph_status_sync_pending_txs_total, 1);
  const { troubled, sources } = (await node.get("/api/v1/chains")) as Chains;
  const refusals = troubled.filter(({ state }) => state === "refused");
  assert.equal(refusals.length, 8);
  assert.ok(refusals.every(({ error, next_attempt: next }) => error !== null && next === null));
  const [tried] = troubled.filter(({ state }) => state === "waiting");
  assert.ok(tried !== undefined && tried.attempts > 0 && tried.next_attempt !== null);
  assert.match(tried.error ?? "", /Nobody gives archive/);
  assert.deepEqual(
    sources.map(({ chain: name, source, remaining_blocks: left }) => [name, source, left]),
    [["ETH", "rpc", 0]],
  );
});

test("two events of one transaction are both read", async (context) => {
  const chain = await startChain(context);
  const node = await startChainNode(context, chain);
  // A contract that calls the sync contract twice with the data it is called with.
  const target = chain.contract.slice(2).toLowerCase();
  const call = `3660006000376000600036600060007 3${target}5af150`.replace(" ", "");
  const runtime = `${call}${call}00`;
  const size = (runtime.length / 2).toString(16).padStart(2, "0");
  const creation = `0x60${size}600c60003960${size}6000f3${runtime}`;
  const from = EMITTER.address;
  const caller = await chain.send(from, creation);
  await chain.send(from, encodeEmit(inline(post(60))), caller?.contractAddress);
  await eventually(
    "the confirmation",
    () => node.confirmations(post(60).hash),
    (list) => list.length === 1,
  );
  const connection = openConnection(dataPaths(node.dataDir).database, { readOnly: true });
  context.after(() => connection.close());
  await eventually(
    "the events",
    async () => connection.get<{ n: number }>("SELECT count(*) AS n FROM chain_events WHERE state = 1")?.n,
    (count) => count === 2,
  );
});
