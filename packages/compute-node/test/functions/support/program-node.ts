import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
  createTimers,
} from "@twentysix/platform";
import { createEvmAccount } from "@twentysix/protocol";
import Fastify from "fastify";
import { createExecutions, type RunningExecutions } from "../../../src/executions/create-executions.ts";
import { openExecutionsDatabase } from "../../../src/executions/database.ts";
import { ExecutionStore } from "../../../src/executions/execution-store.ts";
import { createFunctions, type Functions } from "../../../src/functions/create-functions.ts";
import { registerFunctionRoutes } from "../../../src/functions/http/function-routes.ts";
import {
  DEFAULT_PROGRAM_SETTINGS,
  type ProgramRunnerSettings,
} from "../../../src/functions/program/program-runner.ts";
import { DEFAULT_FUNCTION_SETTINGS, type FunctionSettings } from "../../../src/functions/settings.ts";
import { HelperHypervisor } from "../../../src/hypervisor/helper-hypervisor.ts";
import { functionRuntime } from "../../../src/images/build/function-runtimes.ts";
import { hostImages } from "../../../src/images/build/host-images.ts";
import type { CachedFile, FileCache, HostImages } from "../../../src/images/images.ts";
import type { resolveFiles } from "../../../src/messages/amends.ts";
import type { CoreNodeClient } from "../../../src/messages/core-node-client.ts";
import type { MessageFeed } from "../../../src/messages/message-feed.ts";
import { createUserNetworks } from "../../../src/networking/user-networks.ts";
import { buildOptions, IMAGES_FOLDER } from "../../images/support.ts";
import { endTestHost } from "../../support/end-test-host.ts";
import { tellAccelerator } from "../../support/tell-accelerator.ts";
import { hashOf, type ProgramMessage, programMessage } from "./program-message.ts";

const ENTRY = fileURLToPath(new URL("./helper-entry.ts", import.meta.url));
const TIME_MS = 120_000;

export interface ProgramNode extends AsyncDisposable {
  readonly url: string;
  readonly dir: string;
  readonly executions: RunningExecutions;
  readonly functions: Functions;
  readonly hypervisor: HelperHypervisor;
  readonly log: ReturnType<typeof createMemoryLogger>;
  /** Publishes a plain Python program; its message. */
  publish(label: string, code: string, content?: Parameters<typeof programMessage>[1]): ProgramMessage;
  addFile(label: string, bytes: Uint8Array): string;
  /** The node ends without a word to its machines, and another begins on its folder. */
  crash(): Promise<void>;
}

/** Where a compute node has messages and files from. */
interface NetworkSide {
  readonly coreNode: CoreNodeClient;
  readonly files: FileCache;
  readonly coreNodeUrl: string;
  readonly feed: Pick<MessageFeed, "subscribe" | "stored"> | null;
  readonly resolveFiles: (content: Content, signal: AbortSignal) => Promise<Content>;
}
type Content = Parameters<typeof resolveFiles>[0];

/** What the host of a program node has. */
export interface ProgramHost {
  /** The image of the runtime that programs name; ours for Python otherwise. */
  readonly runtimePath?: string;
  readonly vsockProgram?: string;
}

/** The functions of a compute node in real QEMU: all but where messages and files come from is the product's. */
export async function startProgramNode(
  settings: Partial<FunctionSettings> = {},
  programSettings: Partial<ProgramRunnerSettings> = {},
  host: ProgramHost = {},
): Promise<ProgramNode> {
  const signal = AbortSignal.timeout(TIME_MS);
  const build = buildOptions(signal);
  const images = await hostImages(IMAGES_FOLDER, build);
  const python = await functionRuntime(IMAGES_FOLDER, "python", build);
  const dir = mkdtempSync(join(tmpdir(), "fn-"));
  chmodSync(dir, 0o700);
  const hypervisor = await openHypervisor(dir, images, host, signal);
  const paths = new Map([[hashOf("runtime"), host.runtimePath ?? python.squashfsPath]]);
  tellAccelerator(hypervisor.capabilities().accelerator);
  const messages = new Map<string, ProgramMessage>();
  mkdirSync(join(dir, "cache"), { recursive: true });
  const log = createMemoryLogger();
  const network = localNetwork(messages, paths);
  const start = () => startOn({ dir, hypervisor, images, network, log, settings, programSettings });
  let node = await start();
  const addFile = (label: string, bytes: Uint8Array): string => {
    const path = join(dir, "cache", label);
    writeFileSync(path, bytes);
    paths.set(hashOf(label), path);
    return hashOf(label);
  };
  return {
    get url() {
      return node.url;
    },
    get executions() {
      return node.executions;
    },
    get functions() {
      return node.functions;
    },
    dir,
    hypervisor,
    log,
    addFile,
    publish(label, code, content = {}) {
      const ref = addFile(`${label} code`, Buffer.from(code));
      const message = programMessage(label, {
        resources: { vcpus: 1, memory: 256, seconds: 30, published_ports: null },
        ...content,
      });
      if (message.content.code.ref !== ref) throw new Error("the code of a program is called after it");
      messages.set(message.itemHash, message);
      return message;
    },
    async crash() {
      await node.abandon();
      node = await start();
    },
    async [Symbol.asyncDispose]() {
      await node.close();
      hypervisor[Symbol.dispose]();
      await endTestHost(dir);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function openHypervisor(
  dir: string,
  images: HostImages,
  { vsockProgram }: ProgramHost,
  signal: AbortSignal,
): Promise<HelperHypervisor> {
  // What the host can do is tried once for all tests.
  const tried = join(IMAGES_FOLDER, "..", "qemu", "abilities-functions.json");
  const abilities = join(dir, "helper", "abilities.json");
  mkdirSync(join(dir, "helper"), { mode: 0o700 });
  if (existsSync(tried)) copyFileSync(tried, abilities);
  const vsock = vsockProgram === undefined ? [] : [vsockProgram];
  const words = [ENTRY, dir, IMAGES_FOLDER, JSON.stringify(images), ...vsock];
  const options = {
    dir,
    command: { command: process.execPath, args: words },
    timers: createSystemTimers(),
    log: createMemoryLogger(),
  };
  const hypervisor = await HelperHypervisor.open(options, signal);
  if (!existsSync(tried) && existsSync(abilities)) copyFileSync(abilities, tried);
  return hypervisor;
}

function fileCache(paths: ReadonlyMap<string, string>): FileCache {
  const known = new Map<string, Pick<CachedFile, "path" | "sizeBytes" | "sha256">>();
  return {
    acquire: async (storeHash) => {
      const path = paths.get(storeHash);
      if (path === undefined) throw new Error(`there is no file ${storeHash}`);
      let facts = known.get(path);
      if (facts === undefined) {
        const bytes = readFileSync(path);
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        facts = { path, sizeBytes: bytes.length, sha256 };
        known.set(path, facts);
      }
      return { ...facts, release: () => {} };
    },
  };
}

function localNetwork(
  messages: ReadonlyMap<string, ProgramMessage>,
  paths: ReadonlyMap<string, string>,
): NetworkSide {
  const coreNode: CoreNodeClient = {
    vmMessage: async (hash) => messages.get(hash) ?? null,
    neededAnswers: 1,
    statuses: async () => ["processed"],
    aggregate: async () => null,
    newestFile: async (hash) => hash,
    programsSince: async () => [],
    price: () => Promise.reject(new Error("nothing has a price")),
    allPrices: () => Promise.reject(new Error("nothing has a price")),
    balance: () => Promise.reject(new Error("nobody has a balance")),
    balances: async () => [],
  };
  return {
    coreNode,
    files: fileCache(paths),
    coreNodeUrl: "http://127.0.0.1:1",
    feed: null,
    resolveFiles: async (content) => content,
  };
}

interface Started {
  readonly url: string;
  readonly executions: RunningExecutions;
  readonly functions: Functions;
  close(): Promise<void>;
  abandon(): Promise<void>;
}

async function startOn(parts: {
  readonly dir: string;
  readonly hypervisor: HelperHypervisor;
  readonly images: HostImages;
  readonly network: NetworkSide;
  readonly log: ReturnType<typeof createMemoryLogger>;
  readonly settings: Partial<FunctionSettings>;
  readonly programSettings: Partial<ProgramRunnerSettings>;
}): Promise<Started> {
  const clock = createSystemClock();
  // A node that has died must not keep this process alive.
  const timers = createTimers((delayMs, callback) => {
    const handle = setTimeout(callback, Math.min(delayMs, 2 ** 31 - 1)).unref();
    return () => clearTimeout(handle);
  });
  const random = createSystemRandom();
  const { dir, hypervisor, images, log } = parts;
  const { coreNode, files, coreNodeUrl, feed, resolveFiles } = parts.network;
  const networks = createUserNetworks({ addressesOf: () => ADDRESSES, hostAddress: "127.0.0.1" });
  const database = openExecutionsDatabase(join(dir, "executions.sqlite3"));
  const functions = await createFunctions({
    ...{ computeDir: dir, hypervisor, networks, files, images, coreNode, clock, timers, random, log },
    resolveTxt: () => Promise.reject(new Error("there are no names")),
    imagesProblem: () => null,
    hostBootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    settings: { ...DEFAULT_FUNCTION_SETTINGS, ...parts.settings },
    programSettings: { ...DEFAULT_PROGRAM_SETTINGS, ...parts.programSettings },
    feed,
    registry: null,
    nodeHash: () => null,
    hasContact: () => true,
    guestApi: {
      coreNodeUrls: [coreNodeUrl],
      signer: { account: createEvmAccount({ privateKey: Buffer.alloc(32, 7) }), publicKeyHex: "02ab" },
      fetch: globalThis.fetch,
    },
    database,
    room: { claim: (path, bytes) => executions.admission.claims.claim(path, bytes) },
    templateQuota: { maxTemplates: 8, maxBytes: 4 * 1024 ** 3 },
  });
  const store = new ExecutionStore(database, clock);
  const executions = createExecutions({
    ...{ store, hypervisor, clock, timers, log },
    runners: { program: functions.runner, instance: functions.runner },
    resolveFiles,
    assertRequirements: () => {},
    networkOf: (vmHash) => functions.runner.network(vmHash),
    portsOf: () => [],
    admission: {
      host: { cpus: 16, memoryMib: 16_384 },
      settings: {
        hostMemoryReservedMib: null,
        programMemoryReservedMib: 12_000,
        vcpuOvercommit: 4,
        diskReservedMib: 0,
      },
      measureDisk: async () => ({ totalMib: 100_000, freeMib: 50_000, usedMib: new Map() }),
    },
    settings: {
      limits: {
        prepareTimeoutMs: 60_000,
        startTimeoutMs: 240_000,
        stopTimeoutMs: 60_000,
        eraseTimeoutMs: 60_000,
      },
      maxParallelStarts: 8,
      contactMaxAgeMs: 600_000,
      leaseMs: 20_000,
      leaseRenewalPeriodMs: 60_000,
      takenOverAfterMs: 600_000,
      recordRetentionMs: 86_400_000,
      stoppedRetentionMs: 86_400_000,
      idleProgramRetentionMs: 86_400_000,
    },
  });
  executions.contact.note("core-node");
  await executions.reconcile(AbortSignal.timeout(TIME_MS));
  const server = Fastify({ forceCloseConnections: true });
  registerFunctionRoutes(server, functions.start(executions.manager));
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  const abandon = async (): Promise<void> => {
    await server.close();
    await functions.close();
    database.close();
  };
  return {
    url,
    executions,
    functions,
    abandon,
    async close() {
      await server.close();
      await executions.close();
      await functions.close();
      database.close();
    },
  };
}

const ADDRESSES = {
  ipv4Network: "172.16.3.0/24",
  hostIpv4: "172.16.3.1",
  guestIpv4: "172.16.3.2",
  ipv6Network: "fc00:1:2:3:3::/124",
  hostIpv6: "fc00:1:2:3:3::",
  guestIpv6: "fc00:1:2:3:3::1",
};
