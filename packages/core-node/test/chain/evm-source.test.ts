import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { SYNC_EVENT_TOPIC } from "@twentysix/contracts";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import type { ChainBlock, ChainChange } from "@twentysix/storage";
import { ChainError } from "../../src/chain/errors.ts";
import { EvmReads } from "../../src/chain/evm/evm-reads.ts";
import { EvmSource } from "../../src/chain/evm/evm-source.ts";
import { JsonRpc } from "../../src/chain/evm/json-rpc.ts";

const CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3";

interface Filter {
  readonly fromBlock: string;
  readonly toBlock: string;
  readonly topics: readonly (readonly string[])[];
}
type Answer = (method: string, params: readonly unknown[]) => unknown;

/** An RPC that answers as the test says. */
async function rpcServer(context: TestContext, answer: Answer | number): Promise<string> {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await Array.fromAsync(request);
    const { id, method, params } = JSON.parse(Buffer.concat(body).toString());
    if (typeof answer === "number") response.writeHead(answer).end("no");
    else response.end(JSON.stringify({ jsonrpc: "2.0", id, ...(answer(method, params) as object) }));
  };
  const server: Server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function rpcOf(urls: readonly string[], chainId: number | null = null): JsonRpc {
  const timers = createSystemTimers();
  return new JsonRpc({
    urls,
    chainId,
    timers,
    log: createMemoryLogger(),
    signal: new AbortController().signal,
  });
}

const hashAt = (height: number): string => `0x${height.toString(16).padStart(64, "0")}`;

/** The highest first, as the database gives them. */
function rememberedBlocks(changes: readonly ChainChange[]): ChainBlock[] {
  const blocks = new Map<number, string>();
  for (const change of changes) {
    if (change.kind === "read") for (const { height, hash } of change.blocks) blocks.set(height, hash);
    if (change.kind === "rewound") for (const at of blocks.keys()) if (at > change.height) blocks.delete(at);
  }
  return [...blocks].map(([height, hash]) => ({ height, hash })).sort((x, y) => y.height - x.height);
}

/** A source over a memory in place of a database. */
function sourceOf(url: string, changes: ChainChange[], finalityDepth: number): EvmSource {
  return new EvmSource({
    chain: "ETH",
    sync: {
      contract: CONTRACT,
      startHeight: 1,
      reader: "rpc",
      events: ["sync"],
      authorisedEmitters: null,
      remark: null,
      finalityDepth,
    },
    reads: new EvmReads(rpcOf([url])),
    records: {
      position: async () => (changes.at(-1) as { position?: string } | undefined)?.position ?? null,
      blocks: async (_chain, limit) => rememberedBlocks(changes).slice(0, limit),
    },
    change: async (change) => void changes.push(change),
    log: createMemoryLogger(),
  });
}

const REFUSALS = [
  { code: -32_005, message: "too many results" },
  { code: -32_000, message: "eth_getLogs is limited to a 249 blocks range" },
] as const;

for (const error of REFUSALS) {
  test(`a range with too much in it is halved until it is answered, none left out: ${error.code}`, (context) =>
    halved(context, error));
}

async function halved(context: TestContext, error: (typeof REFUSALS)[number]): Promise<void> {
  const asked: number[][] = [];
  const answered: number[][] = [];
  const url = await rpcServer(context, (method, params) => {
    if (method === "eth_blockNumber") return { result: "0x3e8" };
    if (method === "eth_getBlockByNumber") return { result: { hash: hashAt(Number(params[0])) } };
    const { fromBlock, toBlock, topics } = params[0] as Filter;
    assert.deepEqual(topics, [[SYNC_EVENT_TOPIC]]);
    const [from, to] = [Number(fromBlock), Number(toBlock)];
    asked.push([from, to]);
    if (to - from >= 250 && from < 500) return { error };
    answered.push([from, to]);
    return { result: [] };
  });
  const changes: ChainChange[] = [];
  const source = sourceOf(url, changes, 10);
  const { signal } = new AbortController();
  while (await source.poll(signal));
  const read = changes.map((change) => (change.kind === "read" ? Number(change.position) : -1));
  assert.equal(read.at(-1), 990);
  assert.ok(
    asked.some(([from, to]) => from === 1 && to === 990),
    "it asks for all of it first",
  );
  const expected = read.map((to, index) => [index === 0 ? 1 : (read[index - 1] ?? 0) + 1, to]);
  assert.deepEqual(answered, expected, "no block is left out");
  assert.ok(read.length > 2);
}

test("an RPC that fails, or is on another chain, is passed over", async (context) => {
  const broken = await rpcServer(context, 500);
  const other = await rpcServer(context, () => ({ result: "0x38" }));
  const good = await rpcServer(context, (method) => ({ result: method === "eth_chainId" ? "0x1" : "0x10" }));
  const reads = new EvmReads(rpcOf([broken, other, good, "http://127.0.0.1:9/"], 1));
  assert.equal(await reads.head(), 16);
});

test("when no RPC answers the error says what each of them did", async (context) => {
  const broken = await rpcServer(context, 503);
  await assert.rejects(
    new EvmReads(rpcOf([broken])).head(),
    (error) =>
      error instanceof ChainError &&
      error.code === "CHAIN_RPC_UNAVAILABLE" &&
      error.message.includes("HTTP 503"),
  );
});

test("answers of a wrong shape are an error, not data", async (context) => {
  const url = await rpcServer(context, (method) => ({ result: method === "eth_getLogs" ? [{}] : "0xzz" }));
  const reads = new EvmReads(rpcOf([url]));
  await assert.rejects(reads.head(), ChainError);
  await assert.rejects(reads.logs(CONTRACT, [], 1, 2), ChainError);
});

test("a chain that changes while it is read is read again from what still stands", async (context) => {
  // Block hashes are those of the fork that the server follows at the moment.
  let fork = 0;
  const forkAt = (height: number): string => hashAt(height < 40 ? height : height + fork * 0x10000);
  let head = 50;
  const url = await rpcServer(context, (method, params) => {
    if (method === "eth_blockNumber") return { result: `0x${head.toString(16)}` };
    if (method === "eth_getBlockByNumber") {
      const height = Number(params[0]);
      // The reader has seen that block 50 stands; from here on another fork is told.
      const answer = { result: { hash: forkAt(height) } };
      if (height === 50 && head === 60) fork = 1;
      return answer;
    }
    return { result: [] };
  });
  const changes: ChainChange[] = [];
  const source = sourceOf(url, changes, 0);
  const { signal } = new AbortController();
  await source.poll(signal);
  head = 60;
  await assert.rejects(source.poll(signal), { code: "CHAIN_CHANGED" });
  await source.poll(signal);
  const kinds = changes.map((change) =>
    change.kind === "rewound" ? `rewound to ${change.height}` : change.kind,
  );
  assert.deepEqual(kinds, ["read", "rewound to 0", "read"]);
});
