import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  encodeSetOwner,
  encodeWallet,
  encodeWalletAddress,
  encodeWalletCreation,
  encodeWalletFactory,
  wrapSignature,
} from "@twentysix/contracts/anvil";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@twentysix/platform";
import type { LocalAccount } from "@twentysix/protocol";
import { postgresDatabase, withoutPostgres } from "@twentysix/storage/test-postgres";
import { verifyData } from "../../src/archive/verify-data.ts";
import { dataPaths } from "../../src/data-paths.ts";
import { evm, evmAs, post, type Signed, withEnvelope } from "../pipeline/support/signed.ts";
import { RICH, startChain, type TestChain } from "./support/chain.ts";
import { anchoredNetwork, type ChainNode, startChainNode } from "./support/chain-node.ts";
import { eventually } from "./support/eventually.ts";
import { startRpcProxy } from "./support/rpc-proxy.ts";

const [{ address: PAYER }] = RICH;
const HOLDER = "holder of a wallet";
const OTHER = "somebody else";

/** What an API tells of a message. */
interface Told {
  readonly status?: string;
  readonly error_code?: number;
  readonly details?: { readonly errors: readonly string[] };
}

const told = (node: ChainNode, { hash }: Signed): Promise<Told> =>
  node.get(`/api/v0/messages/${hash}`) as Promise<Told>;

const until = (node: ChainNode, message: Signed, status: string): Promise<Told> =>
  eventually(
    `the message to be ${status}`,
    () => told(node, message),
    (answer) => answer.status === status,
  );

/** Seconds, as the chain has them. */
async function nowOf(chain: TestChain): Promise<number> {
  const block = (await chain.rpc("eth_getBlockByNumber", "latest", false)) as { readonly timestamp: string };
  return Number(block.timestamp);
}

/** Blocks of a later second than all before: quick ones would share theirs. */
async function goOn(chain: TestChain, blocks: number): Promise<void> {
  await chain.rpc("evm_increaseTime", 2);
  await chain.mine(blocks);
}

async function makeWallet(chain: TestChain, owner: LocalAccount): Promise<string> {
  const receipt = await chain.send(PAYER, encodeWallet(owner.address));
  assert.ok(receipt !== null);
  return receipt.contractAddress;
}

async function chainWithWallet(
  context: TestContext,
): Promise<{ readonly chain: TestChain; readonly wallet: string }> {
  const chain = await startChain(context);
  return { chain, wallet: await makeWallet(chain, evm(HOLDER)) };
}

const PLACES = [
  ["in the folder of the node", null, false],
  ["onPostgres", postgresDatabase, withoutPostgres],
] as const;

for (const [where, makeDatabase, skip] of PLACES) {
  test(
    `what a contract accepts is valid, once the chain has gone on over it; what it does not is refused, ${where}`,
    { skip },
    (context) => acceptedAndRefused(context, makeDatabase?.()),
  );
}

async function acceptedAndRefused(context: TestContext, database: string | undefined): Promise<void> {
  const { chain, wallet } = await chainWithWallet(context);
  const node = await startChainNode(context, chain, {
    ...(database === undefined ? {} : { database }),
    contractWallets: true,
    finalityDepth: 2,
  });
  const now = await nowOf(chain);
  const good = post(evmAs(HOLDER, wallet), now, "by its holder");
  const bad = post(evmAs(OTHER, wallet), now, "by somebody else");
  const nobody = post(evmAs(OTHER, evm("without a contract").address), now, "by no contract");
  const own = post(evm("with a key"), now, "by a key");
  for (const message of [good, bad, nobody, own]) await node.submit(message.text);
  assert.equal((await told(node, own)).status, "processed", "a key needs no chain");
  await goOn(chain, 2);
  assert.equal((await told(node, good)).status, "pending", "another block of that time may still come");
  await goOn(chain, 1);
  await until(node, good, "processed");
  for (const refused of [bad, nobody]) {
    const { error_code: code, details } = await until(node, refused, "rejected");
    assert.equal(code, 1);
    assert.match(details?.errors[0] ?? "", /neither the sender's key nor a contract at its address/);
  }
}

test("with the switch off, no contract sends anything", async (context) => {
  const { chain, wallet } = await chainWithWallet(context);
  const node = await startChainNode(context, chain, { contractWallets: false });
  const message = post(evmAs(HOLDER, wallet), await nowOf(chain), "by its holder");
  await node.submit(message.text);
  assert.equal((await told(node, message)).error_code, 1);
});

test("a wallet that is not made yet sends with what makes it", async (context) => {
  const chain = await startChain(context);
  const factory = (await chain.send(PAYER, encodeWalletFactory()))?.contractAddress ?? "";
  const holder = evm(HOLDER);
  const asked = { to: factory, data: encodeWalletAddress(holder.address) };
  const wallet = `0x${String(await chain.rpc("eth_call", asked, "latest")).slice(-40)}`;
  const node = await startChainNode(context, chain, { contractWallets: true });
  const now = await nowOf(chain);
  await goOn(chain, 1);
  const wrapped = (by: string, body: string): Signed => {
    const bare = post(evmAs(by, wallet), now, body);
    const { signature } = JSON.parse(bare.text) as { readonly signature: `0x${string}` };
    return withEnvelope(bare, {
      signature: wrapSignature(factory, encodeWalletCreation(holder.address), signature),
    });
  };
  const good = wrapped(HOLDER, "counterfactual");
  const bad = wrapped(OTHER, "of somebody else");
  const bare = post(evmAs(HOLDER, wallet), now, "bare");
  for (const message of [good, bad, bare]) await node.submit(message.text);
  await until(node, good, "processed");
  await until(node, bad, "rejected");
  await until(node, bare, "rejected");
  assert.equal(await chain.rpc("eth_getCode", wallet, "latest"), "0x", "asking makes nothing");
});

test("a message is decided by the chain as it was at its time, whenever it is asked", async (context) => {
  const { chain, wallet } = await chainWithWallet(context);
  const before = await nowOf(chain);
  await chain.rpc("evm_increaseTime", 100);
  await chain.send(PAYER, encodeSetOwner(evm(OTHER).address), wallet);
  const after = await nowOf(chain);
  await chain.rpc("evm_increaseTime", 100);
  await chain.mine(40);
  const node = await startChainNode(context, chain, { contractWallets: true });
  const early = (by: string): Signed => post(evmAs(by, wallet), after - 1, `early, by ${by}`);
  const late = (by: string): Signed => post(evmAs(by, wallet), after, `late, by ${by}`);
  const first = post(evmAs(HOLDER, wallet), before, "in the block that made it");
  const ancient = post(evmAs(HOLDER, wallet), 1_000, "before there was a chain");
  const messages = [early(HOLDER), early(OTHER), late(HOLDER), late(OTHER), first, ancient];
  for (const message of messages) await node.submit(message.text);
  const outcomes = await Promise.all(
    messages.map(async (message) => {
      const isDecided = ({ status }: Told): boolean => status !== "pending";
      return (await eventually("a decision", () => told(node, message), isDecided)).status;
    }),
  );
  assert.deepEqual(outcomes, ["processed", "rejected", "rejected", "processed", "processed", "rejected"]);
});

test("a chain that cannot be asked refuses nothing; what waits outlives the node, and reaches others", async (context) => {
  const { chain, wallet } = await chainWithWallet(context);
  let isAway = true;
  const url = await startRpcProxy(context, chain.url, () => (isAway ? "drop" : "pass"));
  const options = { contractWallets: true, settings: { rpc: { ETH: [url] } } };
  const stopped = await startChainNode(context, chain, options);
  const message = post(evmAs(HOLDER, wallet), await nowOf(chain), "patient");
  await stopped.submit(message.text);
  await goOn(chain, 1);
  await eventually(
    "the chain to be asked in vain",
    async () =>
      stopped.log.records.filter(({ message: text }) => text === "Asking contract wallets failed").length,
    (count) => count > 0,
  );
  assert.equal((await told(stopped, message)).status, "pending");
  await stopped.core.close();

  const { dataDir } = stopped;
  const node = await startChainNode(context, chain, { ...options, dataDir });
  assert.equal((await told(node, message)).status, "pending");
  isAway = false;
  const other = await startChainNode(context, chain, { ...options, peers: [node] });
  await until(node, message, "processed");
  await until(other, message, "processed");
  await node.core.close();
  const paths = dataPaths(dataDir);
  const report = await verifyData({
    databasePath: paths.database,
    contentsFolder: paths.contents,
    scratchFolder: dataDir,
    definition: await anchoredNetwork(chain, options),
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
    log: node.log,
    signal: new AbortController().signal,
  });
  assert.deepEqual(report.problems, []);
});

test("a message of the far future takes no place, and may come again", async (context) => {
  const { chain, wallet } = await chainWithWallet(context);
  const node = await startChainNode(context, chain, { contractWallets: true });
  const message = post(evmAs(HOLDER, wallet), (await nowOf(chain)) + 86_400, "tomorrow");
  await node.submit(message.text);
  const { details } = await until(node, message, "rejected");
  assert.match(details?.errors[0] ?? "", /its time has not come/);
});
