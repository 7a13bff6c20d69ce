import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
  type MemoryLogger,
} from "@twentysix/platform";
import type { JsonObject } from "@twentysix/protocol";
import {
  buildMessage,
  createClient,
  createConnection,
  type LocalAccount,
  submitMessage,
} from "@twentysix/sdk";
import { type Scheduler, type SchedulerSettings, schedulerKey, startScheduler } from "@twentysix/services";
import { loadNetwork } from "../../../src/index.ts";
import { giveCredits, localAccount } from "../../support/funds.ts";
import { evmAccount } from "../../support/sdk-client.ts";
import { startTestNode, type TestNode } from "../../support/test-node.ts";
import { type FakeComputeNode, type FakeNodeOptions, startFakeComputeNode } from "./fake-compute-node.ts";

export const SIGNING_KEY = createHash("sha256").update("a scheduler under test").digest("hex");
export const SIGNER = schedulerKey(Buffer.from(SIGNING_KEY, "hex")).address;
/** Of a scheduler beside the one that nodes trust. */
export const OTHER_KEY = createHash("sha256").update("another scheduler under test").digest("hex");
export const nodeHash = (label: string): string => createHash("sha256").update(`node ${label}`).digest("hex");

const definition = loadNetwork("local");

/** Everything in a fraction of the time that it takes in the world. */
export const QUICK: Partial<SchedulerSettings> = {
  snapshotPeriodMs: 500,
  registryPeriodMs: 200,
  heartbeatPeriodMs: 100,
  heartbeatTimeoutMs: 1_000,
  reportPeriodMs: 500,
  pushPeriodMs: 300,
  coalesceMs: 20,
  unlinkDebounceMs: 0,
  leaseMs: 2_000,
};

export interface TestScheduler {
  readonly running: Scheduler;
  readonly log: MemoryLogger;
  readonly dataDir: string;
  get(path: string): Promise<unknown>;
}

/** A core node, fake compute nodes, and schedulers over them. */
export interface SchedulerNetwork extends AsyncDisposable {
  readonly core: TestNode;
  readonly owner: LocalAccount;
  readonly nodes: readonly FakeComputeNode[];
  /** Adds a compute node, linked in the registry unless told otherwise. */
  addNode(
    label: string,
    options?: Partial<FakeNodeOptions> & { readonly status?: string },
  ): Promise<FakeComputeNode>;
  setStatus(label: string, status: "linked" | "waiting" | "dropped"): Promise<void>;
  start(
    settings?: Partial<SchedulerSettings>,
    options?: { readonly folder?: string; readonly signingKey?: string },
  ): Promise<TestScheduler>;
  createInstance(more?: Readonly<Record<string, unknown>>): Promise<string>;
  /** An instance whose hash is known before it is published. */
  prepareInstance(): Promise<{ readonly itemHash: string; publish(): Promise<unknown> }>;
  createProgram(): Promise<string>;
  forget(hash: string): Promise<void>;
  /** What the owner of the machines wishes for each of these, and nothing for others. */
  wish(hashes: readonly string[], wishes: JsonObject): Promise<void>;
}

export async function startSchedulerNetwork(): Promise<SchedulerNetwork> {
  const stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "twentysix-scheduler-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const core = await startTestNode();
  stack.defer(() => core.remove());
  const owner = evmAccount("owner of machines");
  const client = createClient({ apiUrl: core.apiUrl });
  await giveCredits(core, owner.address, 1_000_000_000);
  const { itemHash: file } = await client.storeFile({ account: owner, file: new Blob(["disk"]), sync: true });
  const nodes: FakeComputeNode[] = [];
  const registered = new Map<string, { readonly node: FakeComputeNode; status: string }>();
  const running = new Set<Scheduler>();
  const logs: MemoryLogger[] = [];
  stack.defer(async () => {
    for (const scheduler of running) await scheduler.close();
    const defects = logs.flatMap(({ records }) => records.filter(({ level }) => level === "fatal"));
    assert.deepEqual(defects, [], "what a scheduler must not meet");
  });

  const publishRegistry = (): Promise<unknown> =>
    client.createAggregate({
      account: localAccount(definition.authorities.registry.address),
      key: definition.authorities.registry.key,
      content: {
        nodes: [],
        resource_nodes: [
          // What a stranger may have brought into the registry.
          { hash: 7, address: "ftp://nowhere" },
          ...[...registered].flatMap(([label, { node, status }]) =>
            status === "dropped" ? [] : [registration(label, node, status)],
          ),
        ],
      },
      sync: true,
    });

  return {
    core,
    owner,
    nodes,
    async addNode(label, { status = "linked", ...options } = {}) {
      const node = await startFakeComputeNode({ hash: nodeHash(label), signers: [SIGNER], ...options });
      stack.use(node);
      nodes.push(node);
      registered.set(label, { node, status });
      await publishRegistry();
      return node;
    },
    async setStatus(label, status) {
      const known = registered.get(label);
      if (known !== undefined) known.status = status;
      await publishRegistry();
    },
    async start(settings = {}, { folder: own = "scheduler", signingKey = SIGNING_KEY } = {}) {
      const log = createMemoryLogger();
      const dataDir = join(folder, own);
      const scheduler = await startScheduler({
        definition,
        apiUrl: core.apiUrl,
        signingKey,
        settings: { ...QUICK, ...settings },
        dataDir,
        api: { host: "127.0.0.1", port: 0 },
        clock: createSystemClock(),
        timers: createSystemTimers(),
        random: createSystemRandom(),
        log,
      });
      running.add(scheduler);
      logs.push(log);
      const get = async (path: string): Promise<unknown> =>
        (await fetch(`${scheduler.apiUrl}${path}`)).json();
      return { running: scheduler, log, dataDir, get };
    },
    async createInstance(more = {}) {
      const content = { ...instanceOn(file), ...more };
      return (await client.createInstance({ account: owner, content, sync: true })).itemHash;
    },
    async prepareInstance() {
      const timeMicros = BigInt(Date.now()) * 1_000n;
      const content = instanceOn(file);
      const message = await buildMessage({ account: owner, type: "INSTANCE", content, timeMicros });
      const connection = createConnection({ apiUrl: core.apiUrl });
      const publish = () => submitMessage(connection, { message, sync: true });
      return { itemHash: message.item_hash, publish };
    },
    async createProgram() {
      const content = {
        type: "vm-function",
        allow_amend: false,
        environment: { internet: true },
        resources: { vcpus: 1, memory: 128, seconds: 30 },
        code: { encoding: "zip", entrypoint: "main:app", ref: file, use_latest: false },
        runtime: { ref: file, use_latest: false, comment: "" },
        volumes: [],
        on: { http: true, persistent: true },
        payment: { chain: "ETH", type: "credit" },
      };
      return (await client.createProgram({ account: owner, content, sync: true })).itemHash;
    },
    async wish(hashes, wishes) {
      const content = Object.fromEntries(hashes.map((hash) => [hash, wishes]));
      await client.createAggregate({ account: owner, key: "placement", content, sync: true });
    },
    async forget(hash) {
      await client.forget({ account: owner, itemHashes: [hash], sync: true });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const instanceOn = (file: string) => ({
  allow_amend: false,
  environment: { hypervisor: "qemu" },
  resources: { vcpus: 1, memory: 2_048 },
  rootfs: { parent: { ref: file, use_latest: false }, persistence: "host", size_mib: 20_480 },
  volumes: [],
  payment: { chain: "ETH", type: "credit" },
});

const registration = (label: string, node: FakeComputeNode, status: string) => ({
  hash: node.hash,
  owner: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  name: label,
  address: node.address,
  status,
  parent: status === "linked" ? nodeHash("core") : null,
  score: 0.9,
  stream_reward: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
});
