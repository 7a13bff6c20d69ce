import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, openAsBlob, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadNetwork, startNode } from "@twentysix/node";
import { defaultConfig } from "@twentysix/node/config";
import {
  createPinoLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { type Client, createClient, createEvmAccount, type LocalAccount } from "@twentysix/sdk";
import {
  developmentAccount,
  type Scheduler,
  type SchedulerSettings,
  schedulerKey,
  startScheduler,
} from "@twentysix/services";
import { functionRuntime } from "../../../src/images/build/function-runtimes.ts";
import { tinyDisk } from "../../../src/images/build/tiny-guest.ts";
import { runTool } from "../../../src/processes/run-tool.ts";
import { buildOptions, IMAGES_FOLDER } from "../../images/support.ts";
import { CabledMachine } from "./cabled-machine.ts";

const definition = loadNetwork("local");
export const hashOf = (label: string): string => createHash("sha256").update(label).digest("hex");
const KEY = hashOf("scheduler of cabled machines");
const SIGNER = schedulerKey(Buffer.from(KEY, "hex")).address;
const CODE = `
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"it runs"})
`;

/** A machine as the scheduler tells of it. */
export interface ToldVm {
  readonly status?: string;
  readonly allocated_node?: string | null;
  readonly reason?: { readonly code: string; readonly text: string } | null;
}

export interface ToldHistory {
  readonly node_hash: string;
  readonly action: string;
  readonly timestamp: string;
}

interface CloudFiles {
  readonly runtime: string;
  readonly code: string;
  readonly disk: string;
}

/** A core node and a scheduler on this host, and compute nodes on machines of their own. */
export class SmallCloud implements AsyncDisposable {
  readonly folder: string;
  readonly machines: readonly CabledMachine[];
  readonly client: Client;
  readonly owner: LocalAccount;
  readonly #apiUrl: string;
  readonly #files: CloudFiles;
  readonly #stack: AsyncDisposableStack;
  #scheduler: Scheduler | null = null;

  private constructor(parts: {
    readonly folder: string;
    readonly machines: readonly CabledMachine[];
    readonly client: Client;
    readonly owner: LocalAccount;
    readonly apiUrl: string;
    readonly files: CloudFiles;
    readonly stack: AsyncDisposableStack;
  }) {
    this.folder = parts.folder;
    this.machines = parts.machines;
    this.client = parts.client;
    this.owner = parts.owner;
    this.#apiUrl = parts.apiUrl;
    this.#files = parts.files;
    this.#stack = parts.stack;
  }

  /** Starts all but the scheduler; no machine is registered yet. */
  static async start(machineCount: number, signal: AbortSignal): Promise<SmallCloud> {
    await using stack = new AsyncDisposableStack();
    // A host of its own begins without even this one.
    await runTool("ip", ["link", "set", "lo", "up"], { signal });
    const folder = mkdtempSync(join(tmpdir(), "cloud-"));
    chmodSync(folder, 0o711);
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    const core = await startNode(
      defaultConfig(folder, {
        ...{ dataDir: join(folder, "core"), apiHost: "0.0.0.0", apiPort: 0, p2pPort: null },
        ...{ network: "local", logLevel: "error", roles: ["ccn"], maxMemoryBytes: 4 * 1024 ** 3 },
      }),
    );
    stack.defer(() => core.close());
    const { port } = new URL(core.apiUrl);
    const apiUrl = `http://127.0.0.1:${port}`;
    const client = createClient({ apiUrl });
    const owner = createEvmAccount({ privateKey: Buffer.from(hashOf("owner of a small cloud"), "hex") });
    await giveCredits(client, owner.address);
    const files = await publishFiles(client, owner, signal);
    const machines = Array.from({ length: machineCount }, (_, at) => {
      const [index, nodeHash] = [at + 1, hashOf(`node ${at + 1}`)];
      return new CabledMachine({ index, nodeHash, coreNodePort: Number(port), signer: SIGNER, folder });
    });
    stack.defer(() => {
      for (const machine of machines) machine.end();
    });
    for (const machine of machines) await machine.connect();
    await Promise.all(machines.map((machine) => machine.start()));
    return new SmallCloud({ folder, machines, client, owner, apiUrl, files, stack: stack.move() });
  }

  /** Brings machines into the registry, and these alone; nothing new is placed on those that are unlinked. */
  async register(machines: readonly CabledMachine[], unlinked: readonly CabledMachine[] = []): Promise<void> {
    const { registry } = definition.authorities;
    const resourceNodes = [...machines, ...unlinked].map((machine) => ({
      ...{ hash: machine.nodeHash, name: machine.nodeHash.slice(0, 6), address: machine.apiUrl },
      ...{ owner: this.owner.address, parent: hashOf("core"), score: 0.9 },
      status: unlinked.includes(machine) ? "waiting" : "linked",
    }));
    await this.client.createAggregate({
      account: published(registry.address),
      key: registry.key,
      content: { resource_nodes: resourceNodes },
      sync: true,
    });
  }

  /** Starts a scheduler on the folder of the one before it. */
  async schedule(settings: Partial<SchedulerSettings>): Promise<Scheduler> {
    const scheduler = await startScheduler({
      definition,
      apiUrl: this.#apiUrl,
      signingKey: KEY,
      settings,
      dataDir: join(this.folder, "scheduler"),
      api: { host: "127.0.0.1", port: 0 },
      ...{ clock: createSystemClock(), timers: createSystemTimers(), random: createSystemRandom() },
      log: createPinoLogger({ level: "error" }),
    });
    this.#stack.defer(() => scheduler.close());
    this.#scheduler = scheduler;
    return scheduler;
  }

  async vm(vmHash: string): Promise<ToldVm> {
    return (await this.#ask(`/api/v1/vms/${vmHash}`)) as ToldVm;
  }

  async node(nodeHash: string): Promise<{ readonly status?: string }> {
    return (await this.#ask(`/api/v1/nodes/${nodeHash}`)) as { readonly status?: string };
  }

  /** Newest first. */
  async historyOf(vmHash: string): Promise<readonly ToldHistory[]> {
    const { items } = (await this.#ask(`/api/v1/vms/${vmHash}/history`)) as { items: ToldHistory[] };
    return items;
  }

  async #ask(path: string): Promise<unknown> {
    return (await fetch(`${this.#scheduler?.apiUrl}${path}`)).json();
  }

  /** A program that is kept alive. */
  async createProgram(label: string): Promise<string> {
    const { runtime, code } = this.#files;
    const { itemHash } = await this.client.createProgram({
      account: this.owner,
      content: {
        ...{ type: "vm-function", allow_amend: false, environment: { internet: false } },
        resources: { vcpus: 1, memory: 128, seconds: 30 },
        code: { encoding: "plain", entrypoint: "main:app", ref: code, use_latest: false },
        runtime: { ref: runtime, use_latest: false, comment: label },
        volumes: [],
        on: { http: true, persistent: true },
        payment: { chain: "ETH", type: "credit" },
      },
      sync: true,
    });
    return itemHash;
  }

  /** A guest that is ready in seconds; its disk says how often it was booted. */
  async createInstance(label: string): Promise<string> {
    const { itemHash } = await this.client.createInstance({
      account: this.owner,
      content: {
        ...{ allow_amend: false, metadata: { name: label } },
        environment: { hypervisor: "qemu", internet: false },
        resources: { vcpus: 1, memory: 128 },
        rootfs: { parent: { ref: this.#files.disk, use_latest: false }, persistence: "host", size_mib: 64 },
        volumes: [],
        payment: { chain: "ETH", type: "credit" },
      },
      sync: true,
    });
    return itemHash;
  }

  /** Its owner lets these start from nothing when their node is lost. */
  async allowColdRestart(vmHashes: readonly string[]): Promise<void> {
    await this.client.createAggregate({
      account: this.owner,
      key: "placement",
      content: Object.fromEntries(vmHashes.map((vmHash) => [vmHash, { cold_restart: true }])),
      sync: true,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

const published = (address: string | undefined): LocalAccount => {
  const found = definition.developmentAccounts.find((account) => account.address === address);
  assert.ok(found !== undefined);
  return developmentAccount(found);
};

async function giveCredits(client: Client, address: string): Promise<void> {
  const { credits } = definition.authorities;
  const grant = { address, amount: 10 ** 9, price: "0.00001", tx_hash: "0x1", provider: "test" };
  await client.createPost({
    account: published(credits.addresses[0]),
    type: credits.distributionPostType,
    channel: credits.channels[0] ?? null,
    content: { distribution: { token: "TEST", chain: "ETH", credits: [{ ...grant, expiration: null }] } },
    sync: true,
  });
}

async function publishFiles(client: Client, account: LocalAccount, signal: AbortSignal): Promise<CloudFiles> {
  const store = async (file: Blob): Promise<string> =>
    (await client.storeFile({ account, file, payment: { type: "credit" }, sync: true })).itemHash;
  const runtime = await functionRuntime(IMAGES_FOLDER, "python", buildOptions(signal));
  const { qcow2Path } = await tinyDisk(IMAGES_FOLDER, buildOptions(signal));
  return {
    runtime: await store(new Blob([readFileSync(runtime.squashfsPath)])),
    code: await store(new Blob([CODE])),
    disk: await store(await openAsBlob(qcow2Path)),
  };
}
