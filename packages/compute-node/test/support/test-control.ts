import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSeededRandom, createSystemTimers, type Timers } from "@twentysix/platform";
import type { JsonObject } from "@twentysix/protocol";
import { createNodeCrypto } from "@twentysix/protocol/node";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { Registry } from "prom-client";
import { type ComputeSettings, DEFAULT_COMPUTE_SETTINGS } from "../../src/compute-settings.ts";
import { OwnerAuth } from "../../src/control/auth/owner-auth.ts";
import { SchedulerAuth } from "../../src/control/auth/scheduler-auth.ts";
import { type ControlApi, createControlApi } from "../../src/control/control-api.ts";
import type { ControlServices } from "../../src/control/control-services.ts";
import type { InstanceServices } from "../../src/control/instance-services.ts";
import { VmLogs } from "../../src/control/logs/vm-logs.ts";
import { createHealth } from "../../src/control/node-health.ts";
import { AllocationPlans } from "../../src/control/plans/allocation-plans.ts";
import type {
  AddressFunds,
  CoreNodeClient,
  VmMessage,
  VmPrice,
} from "../../src/messages/core-node-client.ts";
import { CoreNodesError } from "../../src/messages/errors.ts";
import { addCapacityMetrics } from "../../src/metrics/capacity-metrics.ts";
import { addExecutionMetrics } from "../../src/metrics/execution-metrics.ts";
import { createStartMetrics } from "../../src/metrics/start-metrics.ts";
import type { VmAddresses } from "../../src/networking/vm-network.ts";
import { PaymentGate } from "../../src/payments/payment-gate.ts";
import type { CommunityShare, StreamReader } from "../../src/payments/streams.ts";
import { FakeHost } from "./fake-host.ts";
import { openTestExecutions } from "./test-executions.ts";
import { hashOf } from "./vm-messages.ts";
import { ClientKey, ethWallet, schedulerHeader, type Wallet } from "./wallets.ts";

export const DOMAIN = "crn.test";
export const NODE_HASH = hashOf("node");

/** What core nodes would say: filled by the test. */
export class KnownNetwork implements CoreNodeClient {
  readonly messages = new Map<string, VmMessage>();
  readonly aggregates = new Map<string, JsonObject>();
  readonly prices = new Map<string, VmPrice>();
  readonly funds = new Map<string, AddressFunds>();
  /** What core nodes say of it where they do not agree. */
  readonly pricesOf = new Map<string, readonly VmPrice[]>();
  readonly statusesOf = new Map<string, readonly string[]>();
  neededAnswers = 1;
  isReachable = true;

  async vmMessage(vmHash: string): Promise<VmMessage | null> {
    this.#reach();
    return this.messages.get(vmHash) ?? null;
  }

  async statuses(hash: string): Promise<readonly string[]> {
    return this.statusesOf.get(hash) ?? (this.messages.has(hash) ? ["processed"] : []);
  }

  async aggregate(address: string, key: string): Promise<JsonObject | null> {
    this.#reach();
    return this.aggregates.get(`${address} ${key}`) ?? null;
  }

  async programsSince(): Promise<readonly []> {
    return [];
  }

  async newestFile(storeHash: string): Promise<string> {
    return storeHash;
  }

  async price(vmHash: string): Promise<VmPrice> {
    return this.prices.get(vmHash) ?? { paymentType: "credit", cost: "0.000000000000000001" };
  }

  async allPrices(vmHash: string): Promise<readonly VmPrice[]> {
    return this.pricesOf.get(vmHash) ?? [await this.price(vmHash)];
  }

  async balance(address: string): Promise<AddressFunds> {
    return this.funds.get(address) ?? { tokens: "0", credits: 0n };
  }

  async balances(address: string): Promise<readonly AddressFunds[]> {
    return [await this.balance(address)];
  }

  #reach(): void {
    if (!this.isReachable) throw new CoreNodesError("UNREACHABLE", "no core node answers");
  }
}

export interface TestControlOptions {
  readonly settings?: Partial<ComputeSettings>;
  readonly instances?: Partial<InstanceServices>;
  readonly streams?: StreamReader;
  readonly community?: CommunityShare;
  readonly nodeHash?: string | null;
  readonly hasSev?: boolean;
  /** Of the API itself; those of this machine unless told otherwise. */
  readonly timers?: Timers;
}

const NO_SERVICE = new Proxy(
  {},
  {
    get: (_target, name) => () => {
      throw new Error(`${String(name)} is not part of this test`);
    },
  },
);

/** The API over a fake host, as a client meets it. */
export async function startTestControl(options: TestControlOptions = {}) {
  const host = new FakeHost();
  const registry = new Registry();
  const starts = createStartMetrics(registry);
  const disk: { problem: Error | null } = { problem: null };
  const freeMib = (): number => {
    if (disk.problem !== null) throw disk.problem;
    return 50_000;
  };
  const executions = openTestExecutions(host, undefined, undefined, undefined, freeMib, starts.failed);
  const { time, manager, store, admission, log } = executions;
  const { clock } = time;
  const network = new KnownNetwork();
  const folder = mkdtempSync(join(tmpdir(), "twentysix-control-"));
  mkdirSync(join(folder, "run"));
  const nowMs = (): number => Number(clock.nowMicros() / 1_000n);
  const owner = ethWallet("owner");
  const scheduler = ethWallet("scheduler");
  const crypto = createNodeCrypto();
  const stopping = new AbortController();
  const settings: ComputeSettings = {
    ...DEFAULT_COMPUTE_SETTINGS,
    identity: {
      ...DEFAULT_COMPUTE_SETTINGS.identity,
      domainName: DOMAIN,
      nodeHash: NODE_HASH,
      ownerAddress: owner.address,
    },
    ...options.settings,
  };
  const nodeHash = options.nodeHash === undefined ? NODE_HASH : options.nodeHash;
  addExecutionMetrics(registry, { executions: manager, store });
  addCapacityMetrics(registry, admission);
  const health: { isHelperConnected: boolean; imagesProblem: string | null } = {
    isHelperConnected: true,
    imagesProblem: null,
  };
  const services: ControlServices = {
    executions: manager,
    store,
    admission,
    registry,
    health: createHealth({
      isHelperConnected: () => health.isHelperConnected,
      coreNodeAgeMs: () => executions.contact.ageMs("core-node"),
      contactMaxAgeMs: settings.lease.contactMaxAgeMs,
      imagesProblem: () => health.imagesProblem,
    }),
    coreNodes: network,
    payments: new PaymentGate({
      coreNodes: network,
      streams: options.streams ?? { chains: [], flow: async () => 0n },
      community: async () => options.community ?? null,
      receiverAddress: settings.payment.receiverAddress,
      executions: () => manager.list(),
      isAllocatedHere: (_vmHash, content) => content.requirements?.node?.node_hash === nodeHash,
      nowMs,
    }),
    plans: new AllocationPlans({
      executions: manager,
      store,
      fences: executions.fences,
      coreNodes: network,
      settings: settings.allocation,
      nowMs,
      log,
      signal: stopping.signal,
    }),
    instances: {
      backups: NO_SERVICE as InstanceServices["backups"],
      restores: NO_SERVICE as InstanceServices["restores"],
      migrations: NO_SERVICE as InstanceServices["migrations"],
      rescues: NO_SERVICE as InstanceServices["rescues"],
      confidential: NO_SERVICE as InstanceServices["confidential"],
      ...options.instances,
    },
    logs: new VmLogs({
      folderOf: (vmHash) => join(folder, "run", vmHash),
      clock,
      timers: createSystemTimers(),
      log,
      running: () => manager.list(),
    }),
    host: {
      cpu: {
        architecture: "x86_64",
        vendor: "AuthenticAMD",
        model: "EPYC",
        count: 4,
        frequencyMhz: { min: 0, max: 0 },
        features: [],
      },
      load: () => [0.1, 0.2, 0.3],
      memory: async () => ({ totalBytes: 16_777_216_001, availableBytes: 8_000_000_999 }),
      disk: async () => ({ totalBytes: 100_000_000_000, freeBytes: 50_000_000_000 }),
    },
    node: () => ({
      nodeHash,
      ownerAddress: owner.address,
      url: `https://${DOMAIN}`,
      termsAndConditions: null,
      cpu: { architecture: "x86_64", vendor: "AuthenticAMD", features: [] },
      teeUnavailableReason: options.hasSev === true ? null : "this processor has no SEV",
    }),
    domainPorts: () => ({ http: null, tls: null }),
    hostImages: () => ({ state: "ready", detail: "/images" }),
    capabilities: () => host.hypervisor.capabilities(),
    networks: {
      addressesOf: (vmHash) => {
        const execution = manager.get(vmHash);
        return execution === null ? null : addressesOf(vmHash, execution.vmNumber);
      },
      isReachable: false,
      hostIpv4: () => "203.0.113.5",
      refreshPorts: async () => {},
      recreate: async () => manager.list().map(({ vmHash }) => vmHash),
    },
    functions: (app) => {
      app.all("/vm/*", (_request, reply) => reply.send("a program"));
      app.all("/*", (_request, reply) => reply.send("a program by its name"));
    },
    ownerAuth: new OwnerAuth({ domainName: DOMAIN, crypto, clock, log }),
    schedulerAuth: new SchedulerAuth({
      signers: async () => [scheduler.address],
      tokenHash: settings.allocation.tokenHash,
      maxAgeSeconds: 300,
      crypto,
      clock,
      onContact: () => executions.contact.note("scheduler"),
    }),
    loginToken: "the-login-token",
    linkSecret: Buffer.from("secret of links"),
    settings,
    version: "1.13.0",
    ownVersion: "0.1.0",
    apiServer: "http://core.test",
    availableChains: {},
    crypto,
    clock,
    timers: options.timers ?? createSystemTimers(),
    random: createSeededRandom(1),
    log,
  };
  const api: ControlApi = await createControlApi(services);
  const inject = (request: InjectOptions): Promise<LightMyRequestResponse> =>
    api.server.inject({ ...request, headers: { host: DOMAIN, ...request.headers } });
  let nonce = 0;
  return {
    api,
    inject,
    services,
    executions,
    manager,
    network,
    health,
    disk,
    host,
    time,
    folder,
    owner,
    scheduler,
    nowMs,
    /** A signed operation of a wallet; the owner's unless told otherwise. */
    async asOwner(
      method: "GET" | "POST" | "DELETE",
      url: string,
      more: InjectOptions & { wallet?: Wallet } = {},
    ) {
      const { wallet = owner, ...request } = more;
      const key = await ClientKey.create(wallet, nowMs());
      const [path = ""] = url.split("?");
      const headers = key.headers({ method, path, domain: DOMAIN, nowMs: nowMs() });
      return inject({ method, url, ...request, headers: { ...headers, ...request.headers } });
    },
    async asScheduler(method: "GET" | "POST", path: string, value?: unknown) {
      const body = value === undefined ? "" : JSON.stringify(value);
      nonce += 1;
      const iat = Math.floor(nowMs() / 1_000);
      const request = { method, path, body, iat, nonce: String(nonce) };
      const authorization = await schedulerHeader(scheduler, request);
      const headers = { authorization, "content-length": String(body.length) };
      return inject({ method, url: path, headers, ...(body === "" ? {} : { payload: body }) });
    },
    async close() {
      stopping.abort();
      await api.close();
      await executions.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The reference's vector: number 3 and the hash `decadeca…` give these addresses. */
function addressesOf(vmHash: string, vmNumber: number): VmAddresses {
  const groups = `${vmHash.slice(0, 4)}:${vmHash.slice(4, 8)}:${vmHash.slice(8, 11)}`;
  return {
    ipv4Network: `172.16.${vmNumber}.0/24`,
    hostIpv4: `172.16.${vmNumber}.1`,
    guestIpv4: `172.16.${vmNumber}.2`,
    ipv6Network: `fc00:1:2:3:3:${groups}0/124`,
    hostIpv6: `fc00:1:2:3:3:${groups}0`,
    guestIpv6: `fc00:1:2:3:3:${groups}1`,
  };
}
