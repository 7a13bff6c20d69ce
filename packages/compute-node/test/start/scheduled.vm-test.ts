import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { loadNetwork, startNode } from "@twentysix/node";
import { defaultConfig } from "@twentysix/node/config";
import {
  createPinoLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { createClient, createEvmAccount, type LocalAccount } from "@twentysix/sdk";
import { developmentAccount, schedulerKey, startScheduler } from "@twentysix/services";
import { DEFAULT_COMPUTE_SETTINGS } from "../../src/compute-settings.ts";
import { functionRuntime } from "../../src/images/build/function-runtimes.ts";
import { buildOptions, IMAGES_FOLDER } from "../images/support.ts";
import { startTestComputeNode, type TestComputeNode } from "../support/test-compute-node.ts";

const definition = loadNetwork("local");
const hashOf = (label: string): string => createHash("sha256").update(label).digest("hex");
const KEY = hashOf("scheduler of real nodes");
const SIGNER = schedulerKey(Buffer.from(KEY, "hex")).address;
const CODE = `
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"placed by a scheduler"})
`;

const published = (address: string | undefined): LocalAccount => {
  const found = definition.developmentAccounts.find((account) => account.address === address);
  assert.ok(found !== undefined);
  return developmentAccount(found);
};

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(100);
}

const computeNode = (core: string, label: string, block: number): Promise<TestComputeNode> =>
  startTestComputeNode([core], {
    identity: { ...DEFAULT_COMPUTE_SETTINGS.identity, domainName: "127.0.0.1", nodeHash: hashOf(label) },
    allocation: { ...DEFAULT_COMPUTE_SETTINGS.allocation, signers: [SIGNER] },
    network: {
      ...DEFAULT_COMPUTE_SETTINGS.network,
      ipv4Pool: `10.${block}.0.0/16`,
      firstHostPort: 36_000 + (block - 230) * 100,
      lastHostPort: 36_099 + (block - 230) * 100,
    },
  });

test("a scheduler starts a program on a real compute node, and on another when that one is gone", {
  timeout: 600_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "scheduled-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const core = await startNode(
    defaultConfig(folder, {
      dataDir: join(folder, "core"),
      ...{ apiHost: "127.0.0.1", apiPort: 0, p2pPort: null, network: "local", logLevel: "error" },
      roles: ["ccn"],
    }),
  );
  stack.defer(() => core.close());
  const client = createClient({ apiUrl: core.apiUrl });
  const owner = createEvmAccount({ privateKey: Buffer.from(hashOf("owner"), "hex") });
  const { credits, registry } = definition.authorities;
  const grant = {
    address: owner.address,
    amount: 10 ** 9,
    price: "0.00001",
    tx_hash: "0x1",
    provider: "test",
  };
  await client.createPost({
    account: published(credits.addresses[0]),
    type: credits.distributionPostType,
    channel: credits.channels[0] ?? null,
    content: { distribution: { token: "TEST", chain: "ETH", credits: [{ ...grant, expiration: null }] } },
    sync: true,
  });
  const signal = AbortSignal.timeout(300_000);
  const runtime = await functionRuntime(IMAGES_FOLDER, "python", buildOptions(signal));
  const store = async (bytes: string | Uint8Array<ArrayBuffer>): Promise<string> =>
    (
      await client.storeFile({
        account: owner,
        file: new Blob([bytes]),
        payment: { type: "credit" },
        sync: true,
      })
    ).itemHash;
  const runtimeRef = await store(new Uint8Array(readFileSync(runtime.squashfsPath)));
  const codeRef = await store(CODE);

  const labels = ["first", "second"];
  const nodes = new Map<string, TestComputeNode>();
  for (const [index, label] of labels.entries()) {
    const node = await computeNode(core.apiUrl, label, 237 + index);
    nodes.set(hashOf(label), node);
    stack.defer(async () => {
      if (nodes.has(hashOf(label))) await node[Symbol.asyncDispose]();
    });
  }
  await client.createAggregate({
    account: published(registry.address),
    key: registry.key,
    content: {
      resource_nodes: labels.map((name) => ({
        ...{ hash: hashOf(name), name, owner: owner.address, status: "linked", parent: hashOf("core") },
        address: nodes.get(hashOf(name))?.node.apiUrl ?? "",
      })),
    },
    sync: true,
  });
  const scheduler = await startScheduler({
    definition,
    apiUrl: core.apiUrl,
    signingKey: KEY,
    dataDir: join(folder, "scheduler"),
    api: { host: "127.0.0.1", port: 0 },
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
    log: createPinoLogger({ level: "warn" }),
  });
  stack.defer(() => scheduler.close());
  const { itemHash } = await client.createProgram({
    account: owner,
    content: {
      type: "vm-function",
      allow_amend: false,
      environment: { internet: false },
      resources: { vcpus: 1, memory: 256, seconds: 30 },
      code: { encoding: "plain", entrypoint: "main:app", ref: codeRef, use_latest: false },
      runtime: { ref: runtimeRef, use_latest: false, comment: "" },
      volumes: [],
      on: { http: true, persistent: true },
      payment: { chain: "ETH", type: "credit" },
    },
    sync: true,
  });
  const vm = async (): Promise<{ status?: string; allocated_node?: string; reason?: unknown }> =>
    (await (await fetch(`${scheduler.apiUrl}/api/v1/vms/${itemHash}`)).json()) as object;
  const isRunningOn = async (node: TestComputeNode): Promise<boolean> => {
    const list = await (await fetch(`${node.node.apiUrl}/v2/about/executions/list`)).json();
    return (list as Record<string, { running: boolean }>)[itemHash]?.running === true;
  };
  await eventually(async () => (await vm()).status === "dispatched");
  const first = (await vm()).allocated_node ?? "";
  const home = nodes.get(first);
  assert.ok(home !== undefined);
  await eventually(() => isRunningOn(home));
  const answer = await fetch(`${home.node.apiUrl}/vm/${itemHash}/`);
  assert.equal(await answer.text(), "placed by a scheduler");

  nodes.delete(first);
  await home[Symbol.asyncDispose]();
  const [second] = nodes.keys();
  const other = nodes.get(second ?? "");
  assert.ok(other !== undefined);
  await eventually(async () => (await vm()).allocated_node === second);
  await eventually(() => isRunningOn(other));

  await client.forget({ account: owner, itemHashes: [itemHash], sync: true });
  await eventually(async () => !(await isRunningOn(other)));
});
