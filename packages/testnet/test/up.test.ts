import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { loadNetwork } from "@twentysix/node/network";
import { createClient, createEvmAccount } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import type { TestnetFacts } from "../src/index.ts";
import { freeBasePort, goneAfterMs, processesOf, startUp, testFolder } from "./support/up-process.ts";

const STOP_LIMIT_MS = 10_000;
const client = ({ api }: { readonly api: string }) =>
  createClient({ apiUrl: api, createSha256: createNodeSha256 });

function accountOf({ accounts }: TestnetFacts, role: string) {
  const found = accounts.find((account) => account.role === role);
  if (found === undefined) throw new Error(`no account ${role}`);
  return createEvmAccount({ privateKey: Buffer.from(found.privateKey.slice(2), "hex") });
}

function coreOf(facts: TestnetFacts, index: number): TestnetFacts["core"][number] {
  const node = facts.core[index];
  if (node === undefined) throw new Error(`no node ${index}`);
  return node;
}

async function servedBy(node: { readonly api: string }, itemHash: string): Promise<void> {
  while ((await client(node).getStatus({ itemHash }))?.status !== "processed") await sleep(20);
}

async function rpc(url: string, method: string, params: readonly unknown[] = []): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json" };
  return ((await (await fetch(url, { method: "POST", headers, body })).json()) as { result: unknown }).result;
}

interface Registered {
  readonly hash: string;
  readonly owner: string;
  readonly multiaddress: string;
  readonly status: string;
}

/** The registry of the network as this node has it, once so many nodes are in it. */
async function registry(node: { readonly api: string }, count: number): Promise<readonly Registered[]> {
  const { address, key } = loadNetwork("local").authorities.registry;
  for (;;) {
    const content = await client(node).fetchAggregate({ address, key });
    const nodes = (content as { readonly nodes?: readonly Registered[] } | null)?.nodes ?? [];
    if (nodes.length >= count) return nodes;
    await sleep(50);
  }
}

/** The contract is the first block, a transfer of the test another. */
async function hasReadBlocks({ api }: { readonly api: string }, count: number): Promise<void> {
  const read = async (): Promise<number> => {
    const metrics = await (await fetch(`${api}/metrics`)).text();
    return Number(/^twentysix_chain_height_blocks\{chain="ETH",source="rpc"\} (\d+)$/m.exec(metrics)?.[1]);
  };
  while (!((await read()) >= count)) await sleep(50);
}

describe("a network of three nodes", { timeout: 240_000, skip: process.platform === "win32" }, () => {
  test("serves everything from each node, outlives one, and goes on with its data; no process stays behind", async () => {
    await using folder = testFolder();
    const basePort = await freeBasePort(8);
    const flags = ["--core", "3", "--data-dir", folder.path, "--base-port", String(basePort), "--json"];
    await using first = startUp(flags);
    const facts = await first.ready();
    assert.deepEqual(
      facts.core.map(({ api }) => api),
      [0, 2, 4].map((offset) => `http://127.0.0.1:${basePort + offset}`),
    );
    assert.ok(facts.core.every(({ p2p }) => /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3Koo/.test(p2p)));
    const alice = accountOf(facts, "alice");
    assert.equal(await rpc(facts.evm.rpc, "eth_chainId"), "0x7a69");
    assert.ok(BigInt(String(await rpc(facts.evm.rpc, "eth_getBalance", [alice.address, "latest"]))) > 0n);

    const content = { body: "to all" };
    const post = await client(coreOf(facts, 2)).createPost({
      account: alice,
      type: "up",
      content,
      sync: true,
    });
    const bytes = randomBytes(1_000_000);
    const stored = await client(coreOf(facts, 1)).storeFile({
      account: alice,
      file: new Blob([bytes]),
      sync: true,
    });
    for (const node of facts.core) {
      await servedBy(node, post.itemHash);
      await servedBy(node, stored.itemHash);
    }

    const registered = await registry(coreOf(facts, 2), 3);
    assert.deepEqual(
      registered.map(({ multiaddress, status }) => [multiaddress, status]).sort(),
      facts.core.map(({ p2p }) => [p2p, "active"]).sort(),
    );
    assert.equal(new Set(registered.map(({ owner }) => owner)).size, 3, "each fails by itself");

    process.kill(coreOf(facts, 1).pid, "SIGKILL");
    while (!first.stderr.includes("core-2")) await sleep(20);
    assert.match(first.stderr, /^twentysix up: core-2 \(process \d+\) is dead: SIGKILL; the others go on\n$/);
    const later = await client(coreOf(facts, 0)).createPost({ account: alice, type: "up", content });
    for (const node of [coreOf(facts, 0), coreOf(facts, 2)]) {
      await servedBy(node, later.itemHash);
      const raw = await fetch(`${node.api}/api/v0/storage/raw/${stored.fileHash}`);
      assert.ok(Buffer.from(await raw.arrayBuffer()).equals(bytes));
    }
    const sent = await rpc(facts.evm.rpc, "eth_sendTransaction", [
      { from: alice.address, to: accountOf(facts, "bob").address, value: "0x1" },
    ]);
    while ((await rpc(facts.evm.rpc, "eth_getTransactionReceipt", [sent])) === null) await sleep(20);

    first.process.kill("SIGINT");
    assert.ok((await goneAfterMs(folder.path)) < STOP_LIMIT_MS);
    assert.deepEqual(await first.ended, { exitCode: 0, signal: null });
    assert.equal(first.stdout.split("\n").length, 2, "one line");

    await using second = startUp(flags);
    const again = await second.ready();
    assert.deepEqual(
      again.core.map(({ p2p }) => p2p),
      facts.core.map(({ p2p }) => p2p),
    );
    for (const node of again.core) await servedBy(node, post.itemHash);
    assert.deepEqual(
      (await registry(coreOf(again, 1), 3)).map(({ hash }) => hash),
      registered.map(({ hash }) => hash),
    );
    assert.deepEqual(again.evm.contracts, facts.evm.contracts);
    assert.notEqual(
      await rpc(again.evm.rpc, "eth_getCode", [again.evm.contracts.messageSync, "latest"]),
      "0x",
    );
    for (const node of again.core) await hasReadBlocks(node, 2);
    assert.notEqual(await rpc(again.evm.rpc, "eth_getTransactionReceipt", [sent]), null);
    second.process.kill("SIGKILL");
    assert.ok((await goneAfterMs(folder.path)) < STOP_LIMIT_MS);
  });

  test("that is killed while it starts leaves no process behind", async () => {
    await using folder = testFolder();
    const flags = ["--core", "2", "--data-dir", folder.path, "--base-port", String(await freeBasePort(6))];
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      await using up = startUp(flags);
      // The command itself, and the first of those that it starts.
      while (processesOf(folder.path).length < 2) await sleep(5);
      up.process.kill(signal);
      assert.ok((await goneAfterMs(folder.path)) < STOP_LIMIT_MS);
      if (signal === "SIGTERM") assert.deepEqual(await up.ended, { exitCode: 0, signal: null });
    }
  });
});

describe("a network that keeps few copies", { timeout: 120_000, skip: process.platform === "win32" }, () => {
  test("tells how many, and serves every file from each node", async () => {
    await using folder = testFolder();
    const basePort = await freeBasePort(8);
    const where = ["--data-dir", folder.path, "--base-port", String(basePort)];
    await using up = startUp([...where, "--core", "3", "--durability", "copies:2", "--json"]);
    const facts = await up.ready();
    const bytes = randomBytes(100_000);
    const stored = await client(coreOf(facts, 0)).storeFile({
      account: accountOf(facts, "alice"),
      file: new Blob([bytes]),
      sync: true,
    });
    for (const node of facts.core) {
      await servedBy(node, stored.itemHash);
      const raw = await fetch(`${node.api}/api/v0/storage/raw/${stored.fileHash}`);
      assert.ok(Buffer.from(await raw.arrayBuffer()).equals(bytes));
    }
    const told = await fetch(`${coreOf(facts, 0).api}/api/v1/files/${stored.fileHash}/durability`);
    assert.equal(((await told.json()) as { readonly copies: number }).copies, 2);
  });
});

describe("a network of one node", { timeout: 120_000, skip: process.platform === "win32" }, () => {
  test("shows a table that tells of a node that dies", async () => {
    await using folder = testFolder();
    const basePort = await freeBasePort(4);
    await using up = startUp([
      "--core",
      "1",
      "--data-dir",
      folder.path,
      "--base-port",
      String(basePort),
      "--durability",
      "everyone",
    ]);
    while (!up.stdout.includes("core-1")) await sleep(20);
    assert.match(up.stdout, /ETH 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc +0x[0-9a-f]{64} +alice/);
    assert.match(up.stdout, /^node +api +process +state +peers +messages +memory +cpu$/m);
    const row = /^core-1 +http:\/\/127\.0\.0\.1:\d+ +(\d+) +runs +0 +\d+ +\d+ MiB +-$/m.exec(up.stdout);
    assert.ok(row !== null, up.stdout);
    process.kill(Number(row[1]), "SIGKILL");
    while (!/^core-1 .*dead \(SIGKILL\)/m.test(up.stdout)) await sleep(20);
    up.process.kill("SIGTERM");
    assert.deepEqual(await up.ended, { exitCode: 0, signal: null });
    assert.deepEqual(processesOf(folder.path), []);
  });
});

describe("what a network leaves behind", { timeout: 120_000, skip: process.platform === "win32" }, () => {
  const start = async (folder: string, how = {}) =>
    startUp(
      ["--core", "1", "--data-dir", folder, "--base-port", String(await freeBasePort(4)), "--json"],
      how,
    );

  test("is nothing when the process that started it is killed", async () => {
    await using folder = testFolder();
    await using up = await start(folder.path, { underShell: true });
    await up.ready();
    up.process.kill("SIGKILL");
    assert.ok((await goneAfterMs(folder.path)) < STOP_LIMIT_MS);
  });

  test("is nothing when what guards the chain is killed before", async () => {
    await using folder = testFolder();
    await using up = await start(folder.path);
    await up.ready();
    const guard = processesOf(folder.path).find((line) => line.includes("guard.mjs"));
    process.kill(Number.parseInt(guard ?? "", 10), "SIGKILL");
    while (!up.stderr.includes("evm")) await sleep(20);
    assert.match(up.stderr, /^twentysix up: evm \(process \d+\) is dead: SIGKILL; the others go on\n$/);
    while (processesOf(folder.path).some((line) => line.includes("anvil "))) await sleep(20);
    up.process.kill("SIGTERM");
    assert.deepEqual(await up.ended, { exitCode: 0, signal: null });
    assert.deepEqual(processesOf(folder.path), []);
  });
});

describe("a network that cannot be had", { timeout: 60_000 }, () => {
  for (const [args, expected] of [
    [["--core", "0"], /--core: expected a whole number from 1 to 100, got 0$/],
    [["--core", "three"], /--core <N>.*'three' is invalid/],
    [["--core", "2", "--base-port", "65531"], /--base-port: expected a port from 1 to 65530/],
    [["--durability", "erasure:4"], /--durability: .*erasure:K\/N for N shards.*, got "erasure:4"$/],
    [["--durability", "erasure:2/4"], /--durability: .*got 2 of 4 on 3 nodes$/],
    [["--durability", "erasure:3/3"], /--durability: .*got 3 of 3 on 3 nodes$/],
    [["--durability", "copies:4"], /--durability: .*got 4 copies on 3 nodes$/],
    [["--durability", "copies:1"], /--durability: expected from 2 to 64 copies/],
    [["--log-level", "loud"], /--log-level: expected one of/],
    [["--cores", "2"], /unknown option '--cores'/],
    [["extra"], /too many arguments/],
  ] as const) {
    test(`${args.join(" ")} is one line and exit code 2`, async () => {
      await using up = startUp(args);
      assert.deepEqual(await up.ended, { exitCode: 2, signal: null });
      assert.match(up.stderr.trimEnd(), expected);
      assert.match(up.stderr, /^twentysix: [^\n]*\n$/);
      assert.equal(up.stdout, "");
    });
  }

  test("since another has its data is one line, and does that one no harm", async () => {
    await using folder = testFolder();
    const flags = async () => [
      ...["--core", "1", "--data-dir", folder.path, "--base-port", String(await freeBasePort(4)), "--json"],
    ];
    await using first = startUp(await flags());
    const facts = await first.ready();
    await using second = startUp(await flags());
    assert.deepEqual(await second.ended, { exitCode: 1, signal: null });
    assert.match(second.stderr, /^twentysix up: [^\n]* is in use by another process[^\n]*\n$/);
    assert.equal(await rpc(facts.evm.rpc, "eth_chainId"), "0x7a69");
    first.process.kill("SIGTERM");
    assert.deepEqual(await first.ended, { exitCode: 0, signal: null });
  });

  test("for a folder that cannot be one is one line and exit code 2", async () => {
    await using up = startUp([
      "--core",
      "1",
      "--data-dir",
      "/dev/null/x",
      "--base-port",
      String(await freeBasePort(4)),
    ]);
    assert.deepEqual(await up.ended, { exitCode: 2, signal: null });
    assert.match(up.stderr, /^twentysix up: [^\n]*\n$/);
  });

  test("for want of ports says so before anything is started", async () => {
    await using folder = testFolder();
    const basePort = await freeBasePort(6);
    const other = createServer().listen(basePort + 3, "127.0.0.1");
    try {
      const dataDir = join(folder.path, "data");
      const flags = ["--core", "2", "--data-dir", dataDir, "--base-port", String(basePort), "--json"];
      await using up = startUp(flags);
      assert.deepEqual(await up.ended, { exitCode: 1, signal: null });
      assert.match(up.stderr, new RegExp(`^twentysix up: [^\\n]*${basePort + 3}[^\\n]*\\n$`));
      assert.equal(up.stdout, "");
      assert.ok(!existsSync(dataDir));
    } finally {
      other.close();
    }
  });
});
