import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ChainSync } from "@twentysix/protocol";
import fc from "fast-check";
import { EvmIndexerSource } from "../../src/chain/indexer/evm-indexer-source.ts";
import { NulsSource } from "../../src/chain/indexer/nuls-source.ts";
import { TezosSource } from "../../src/chain/indexer/tezos-source.ts";
import { mergedRanges, type TimeRange, withoutRanges } from "../../src/chain/indexer/time-ranges.ts";
import { archivePayload } from "../../src/chain/sync-payload.ts";
import { startChainNode } from "./support/chain-node.ts";
import { eventually } from "./support/eventually.ts";
import { memoryRecords, readAll, startIndexer } from "./support/indexer-server.ts";

const CID = "QmaMLRsvmDRCezZe2iebcKWtEzKNjBaQfwcu7mcpdm8eY2";
const CONTRACT = "0xdF270752C8C71D08acbae4372687DA65AECe2D5D";
const SENDER = "0xAbCdEf0123456789aBcDeF0123456789AbCdEf01";
const sync: ChainSync = {
  contract: CONTRACT,
  startHeight: 0,
  reader: "indexer",
  events: ["message"],
  authorisedEmitters: null,
  remark: null,
  finalityDepth: 12,
};

interface IndexedEvent {
  readonly id: string;
  readonly timestamp: number;
  readonly address: string;
  readonly height: number;
  readonly transaction: string;
  readonly type?: string;
  readonly content?: string;
  readonly message?: string;
}

/** The cross-chain indexer over some events and the times that it knows whole. */
function indexerOf(blockchain: string, events: readonly IndexedEvent[], known: { processed: string[] }) {
  const asked: string[] = [];
  const answer = (query: string): unknown => {
    asked.push(query);
    assert.match(query, new RegExp(`blockchain: "${blockchain}"`));
    if (query.includes("accountState")) {
      const account = /account: \["(.*?)"\]/.exec(query)?.[1];
      // This one knows the contract by its letters as they are configured.
      return {
        data: { state: account === CONTRACT ? [{ account, progress: 100, pending: [], ...known }] : [] },
      };
    }
    const argumentOf = (name: string): number => Number(new RegExp(`${name}: ([\\d.]+)`).exec(query)?.[1]);
    const found = events
      .filter(({ timestamp }) => timestamp >= argumentOf("startDate") && timestamp <= argumentOf("endDate"))
      .slice(argumentOf("skip"), argumentOf("skip") + argumentOf("limit"));
    return { data: { [query.includes("syncEvents") ? "syncEvents" : "messageEvents"]: found } };
  };
  return { answer, asked };
}

const eventAt = (n: number, timestamp: number): IndexedEvent => ({
  id: `bsc_${n}_0xdf27_${n % 3}`,
  timestamp,
  address: SENDER,
  height: 100 + n,
  transaction: `0xAB${n.toString(16).padStart(62, "0")}`,
  type: "POST",
  content: `{"n":${n}}`,
});
const START = Date.parse("2023-02-24T00:00:00.000Z");
const iso = (ms: number): string => new Date(ms).toISOString();

describe("the indexer of EVM chains", () => {
  test("is read page by page, even where more than a page shares one moment", async (context) => {
    const events = Array.from({ length: 2_500 }, (_, n) => eventAt(n, START + (n < 2_200 ? 5 : n)));
    const known = { processed: [`${iso(START)}/${iso(START + 10_000)}`] };
    const { answer } = indexerOf("bsc", events, known);
    const url = await startIndexer(context, answer);
    const { services, events: read } = memoryRecords();
    const make = () => new EvmIndexerSource({ ...services, url, chain: "BSC", sync, event: "message" });
    await make().poll(services.signal);
    // A node that starts again goes on where it was.
    await readAll(make());
    assert.deepEqual(
      read.map(({ height }) => height),
      events.map(({ height }) => height),
    );
    const [first] = read;
    assert.equal(first?.txHash, `0xab${"0".repeat(62)}`);
    assert.equal(first?.timeMicros, BigInt(START + 5) * 1_000n);
    assert.equal(first?.publisher, SENDER);
    assert.deepEqual(JSON.parse(first?.payload ?? ""), { sender: SENDER, type: "POST", content: '{"n":0}' });
    assert.equal(read[1]?.logIndex, 1);
  });

  test("is read where it knows more than before, and nothing twice", async (context) => {
    const known = {
      processed: [`${iso(START)}/${iso(START + 100)}`, `${iso(START + 300)}/${iso(START + 400)}`],
    };
    const { answer, asked } = indexerOf(
      "bsc",
      [50, 150, 350, 450].map((ms, n) => eventAt(n, START + ms)),
      known,
    );
    const url = await startIndexer(context, answer);
    const { services, events: read } = memoryRecords();
    const source = new EvmIndexerSource({ ...services, url, chain: "BSC", sync, event: "message" });
    await readAll(source);
    assert.deepEqual(
      read.map(({ height }) => height),
      [100, 102],
    );
    const before = asked.filter((query) => query.includes("messageEvents")).length;
    await readAll(source);
    assert.equal(asked.filter((query) => query.includes("messageEvents")).length, before);
    known.processed = [`${iso(START)}/${iso(START + 500)}`];
    await readAll(source);
    assert.deepEqual(read.map(({ height }) => height).sort(), [100, 101, 102, 103]);
  });

  test("gives sync events of authorised emitters, and says why a message cannot be one", async (context) => {
    const archive = { ...eventAt(1, START + 1), message: archivePayload(CID) };
    const stranger = { ...archive, id: "x_9", address: "0x0000000000000000000000000000000000000001" };
    const known = { processed: [`${iso(START)}/${iso(START + 10)}`] };
    const { answer } = indexerOf("ethereum", [archive, stranger], known);
    const url = await startIndexer(context, answer);
    const { services, events: read } = memoryRecords();
    const emitters = { ...sync, authorisedEmitters: [SENDER.toLowerCase()] };
    await readAll(new EvmIndexerSource({ ...services, url, chain: "ETH", sync: emitters, event: "sync" }));
    assert.deepEqual(
      read.map(({ kind, payload }) => [kind, payload]),
      [["archive", CID]],
    );

    const bad = { ...eventAt(2, START + 2), type: "STORE_IPFS", content: "no CID" };
    const other = indexerOf("bsc", [bad], known);
    const again = memoryRecords();
    const badUrl = await startIndexer(context, other.answer);
    await readAll(
      new EvmIndexerSource({ ...again.services, url: badUrl, chain: "BSC", sync, event: "message" }),
    );
    assert.equal(again.events[0]?.kind, null);
    assert.match(again.events[0]?.error ?? "", /needs a CID/);
  });

  test("errors and strange answers change nothing", async (context) => {
    const answers: unknown[] = [
      { errors: [{ message: "down" }] },
      { data: { state: "?" } },
      { data: { state: [] } },
      1,
    ];
    for (const answer of answers) {
      const url = await startIndexer(context, () => answer);
      const { services, events } = memoryRecords();
      const source = new EvmIndexerSource({ ...services, url, chain: "BSC", sync, event: "message" });
      await assert.rejects(source.poll(services.signal), { code: "CHAIN_CONTENT_UNAVAILABLE" });
      assert.deepEqual(events, []);
    }
  });
});

test("the indexer of Tezos is read by counting, once it is in step with its chain", async (context) => {
  const events = Array.from({ length: 130 }, (_, n) => ({
    _id: `e${n}`,
    source: "KT1FfEoaNvooDfYrP61Ykct6L8z7w7e2pgnT",
    timestamp: "2022-11-16T15:18:20Z",
    blockLevel: 1_000 + n,
    // An operation with two events.
    operationHash: `oo${n === 1 ? 0 : n}`,
    type: "MessageEvent",
    payload: {
      timestamp: 1_668_611_900,
      addr: "KT1VBeLD7hzKpj17aRJ3Kc6QQFeikCEXi7W6",
      msgtype: "STORE_IPFS",
      msgcontent: CID,
    },
  }));
  let status = "in_progress";
  const url = await startIndexer(context, (query) => {
    const indexStatus = { oldestBlock: "a", recentBlock: "b", status };
    if (!query.includes("events(")) return { data: { indexStatus } };
    const skip = Number(/skip: (\d+)/.exec(query)?.[1]);
    return {
      data: { indexStatus, stats: { totalEvents: events.length }, events: events.slice(skip, skip + 100) },
    };
  });
  const { services, events: read } = memoryRecords();
  const source = new TezosSource({ ...services, url, chain: "TEZOS", contract: events[0]?.source ?? "" });
  await readAll(source);
  assert.equal(read.length, 0);
  status = "synced";
  await readAll(source);
  await readAll(source);
  assert.equal(read.length, 130);
  assert.equal(new Set(read.map(({ txHash, logIndex }) => `${txHash}:${logIndex}`)).size, 130);
  assert.equal(read[0]?.timeMicros, 1_668_611_900_000_000n);
});

test("the explorer of NULS is read without leaving out a block", async (context) => {
  const transactions = Array.from({ length: 700 }, (_, n) => ({
    hash: `nuls${n}`,
    height: 10 + Math.floor(n / 3),
    createTime: 1_600_000_000 + n,
    remark: n % 7 === 0 ? "something else" : "ALEPH-SYNC",
    txDataHex: Buffer.from(archivePayload(CID)).toString("hex"),
    coinFroms: [{ address: "NULSd6HgSender" }],
  }));
  let visible = 400;
  const url = await startIndexer(context, (path) => {
    const query = new URL(path, "http://x/").searchParams;
    assert.equal(query.get("address"), "NULSd6HgAddress");
    const from = Number(query.get("startHeight"));
    const found = transactions.slice(0, visible).filter(({ height }) => height >= from);
    return { transactions: found.slice(0, Number(query.get("pagination"))) };
  });
  const { services, events: read } = memoryRecords();
  const source = new NulsSource({
    ...services,
    url,
    chain: "NULS2",
    address: "NULSd6HgAddress",
    remark: "ALEPH-SYNC",
  });
  await readAll(source);
  visible = 700;
  await readAll(source);
  const expected = transactions.filter(({ remark }) => remark === "ALEPH-SYNC").map(({ hash }) => hash);
  assert.deepEqual([...new Set(read.map(({ txHash }) => txHash))], expected);
  const first = read[0];
  assert.deepEqual(
    [first?.kind, first?.payload, first?.publisher, first?.timeMicros],
    ["archive", CID, "NULSd6HgSender", 1_600_000_001_000_000n],
  );
});

/** Each of these was sent by somebody who wanted the history to stand still. */
describe("a transaction that nobody can read", () => {
  type Row = Readonly<Record<string, unknown>>;
  const kindsOf = (read: readonly { readonly txHash: string; readonly kind: string | null }[]) =>
    Object.fromEntries(read.map(({ txHash, kind }) => [txHash, kind]));

  test("does not hold up what comes after it: EVM", async (context) => {
    const { content: _, ...bare } = eventAt(1, START + 1);
    const events = [bare, { ...eventAt(2, START + 2), type: null }, eventAt(3, START + 3)] as IndexedEvent[];
    const { answer } = indexerOf("bsc", events, { processed: [`${iso(START)}/${iso(START + 10)}`] });
    const url = await startIndexer(context, answer);
    const { services, events: read } = memoryRecords();
    await readAll(new EvmIndexerSource({ ...services, url, chain: "BSC", sync, event: "message" }));
    assert.deepEqual(
      read.map(({ kind }) => kind),
      [null, null, "message"],
    );
    assert.match(read[0]?.error ?? "", /no type or no content/);
  });

  test("does not hold up what comes after it: Tezos", async (context) => {
    const whole = { timestamp: 1_668_611_900, addr: "KT1", msgtype: "STORE_IPFS", msgcontent: CID };
    const payloads = [null, "text", {}, { ...whole, msgcontent: 7 }, { ...whole, timestamp: "never" }, whole];
    const events = payloads.map((payload, n) => ({
      ...{ _id: `e${n}`, source: "KT1", timestamp: "2022-11-16T15:18:20Z", blockLevel: n },
      ...{ operationHash: `oo${n}`, type: "MessageEvent", payload },
    }));
    const url = await startIndexer(context, (query) => {
      const skip = Number(/skip: (\d+)/.exec(query)?.[1] ?? 0);
      return { data: { indexStatus: { status: "synced" }, events: events.slice(skip, skip + 100) } };
    });
    const { services, events: read } = memoryRecords();
    await readAll(new TezosSource({ ...services, url, chain: "TEZOS", contract: "KT1" }));
    const refused = Object.fromEntries(["oo0", "oo1", "oo2", "oo3", "oo4"].map((hash) => [hash, null]));
    assert.deepEqual(kindsOf(read), { ...refused, oo5: "message" });
  });

  test("does not hold up what comes after it: NULS, also where a block has more than a page", async (context) => {
    const common = (n: number) => ({ hash: `tx${n}`, height: 10, createTime: 1_600_000_000, remark: "MARK" });
    const data = Buffer.from(archivePayload(CID)).toString("hex");
    const transactions: Row[] = [
      common(0),
      { ...common(1), txDataHex: null, coinFroms: [] },
      { ...common(2), txDataHex: "no hex at all", coinFroms: "none" },
      ...Array.from({ length: 800 }, (_, n) => ({ ...common(3 + n), txDataHex: data, coinFroms: [{}] })),
      { ...common(803), height: 11, txDataHex: data, coinFroms: [{ address: "sender" }] },
    ];
    const url = await startIndexer(context, (path) => {
      const query = new URL(path, "http://x/").searchParams;
      const found = transactions.filter(({ height }) => Number(height) >= Number(query.get("startHeight")));
      return { transactions: found.slice(0, Number(query.get("pagination"))) };
    });
    const { services, events: read } = memoryRecords();
    await readAll(new NulsSource({ ...services, url, chain: "NULS2", address: "here", remark: "MARK" }));
    const kinds = kindsOf(read);
    assert.deepEqual([kinds.tx0, kinds.tx1, kinds.tx2], [null, null, null]);
    assert.deepEqual([kinds.tx3, kinds.tx802, kinds.tx803], ["archive", "archive", "archive"]);
  });
});

test("a node takes what an indexer tells, dated and confirmed by it", async (context) => {
  const content = `{"address":"${SENDER}","time":1677196800.5,"type":"note","content":{"by":"indexer"}}`;
  const event = { ...eventAt(3, START + 3), content };
  const { answer } = indexerOf("ethereum", [event], { processed: [`${iso(START)}/${iso(START + 10)}`] });
  const indexer = await startIndexer(context, (query) =>
    query.includes("syncEvents") ? { data: { syncEvents: [] } } : answer(query),
  );
  const settings = { rpc: {}, indexers: { ETH: indexer } };
  const node = await startChainNode(context, { contract: CONTRACT, url: "" }, { settings });
  interface Received {
    readonly item_hash: string;
    readonly time: number;
  }
  const { messages } = await eventually(
    "the message",
    () => node.get(`/api/v0/messages.json?addresses=${SENDER}`) as Promise<{ messages: Received[] }>,
    (page) => page.messages.length > 0,
  );
  assert.equal(messages[0]?.time, (START + 3) / 1_000);
  const confirmations = await node.confirmations(messages[0]?.item_hash ?? "");
  assert.deepEqual(
    confirmations.map(({ chain, height, hash }) => [chain, height, hash]),
    [["ETH", event.height, event.transaction.toLowerCase()]],
  );
});

describe("ranges of time", () => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 }))
    .map(([first, length]): TimeRange => [first, first + length]);
  const ranges = fc.array(range, { maxLength: 6 });
  const instants = (some: readonly TimeRange[]): number[] =>
    Array.from({ length: 100 }, (_, ms) => ms).filter((ms) => some.some(([a, b]) => ms >= a && ms <= b));

  test("merge and differ as their instants do", () => {
    fc.assert(
      fc.property(ranges, ranges, (some, others) => {
        assert.deepEqual(instants(mergedRanges(some)), instants(some));
        const left = withoutRanges(some, others);
        const taken = new Set(instants(others));
        assert.deepEqual(
          instants(left),
          instants(some).filter((ms) => !taken.has(ms)),
        );
      }),
    );
  });
});
