import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import { isSdkError } from "@twentysix/sdk";
import { type ComputeSettings, DEFAULT_COMPUTE_SETTINGS } from "../../src/compute-settings.ts";
import type { Inventory } from "../../src/helper/inventory.ts";
import { HelperHypervisor } from "../../src/hypervisor/helper-hypervisor.ts";
import { startTestComputeNode, type TestComputeNode } from "./test-compute-node.ts";
import { INSTANCE, PROGRAM, startTestCoreNode, type TestCoreNode } from "./test-core-node.ts";
import { ethWallet, schedulerHeader } from "./wallets.ts";

/** A whole core node and a whole compute node, and what strangers can do to them: publish, call, have placed. */
export interface TargetNode extends AsyncDisposable {
  readonly core: TestCoreNode;
  readonly compute: TestComputeNode;
  /** Stores a file of the network; hash of its message. */
  store(bytes: Uint8Array | string): Promise<string>;
  /** Publishes the message of a program; its hash, or why the network does not take it. */
  program(content: object): Promise<string>;
  instance(content: object): Promise<string>;
  visit(vmHash: string, path?: string): Promise<Visit>;
  /** As a scheduler places them; what it is told of those that failed. */
  place(wanted: {
    readonly programs?: readonly string[];
    readonly instances?: readonly string[];
  }): Promise<Record<string, string>>;
  /** What the list of executions tells its owner of a machine; null: it is not on it. */
  listed(vmHash: string): Promise<Listed | null>;
  /** What a machine that does not run has on this host. */
  leftOf(vmHash: string): Promise<readonly string[]>;
}

export interface Visit {
  readonly status: number;
  readonly text: string;
  readonly tookMs: number;
}

export interface Listed {
  readonly state: string;
  readonly running: boolean;
  readonly reason: { readonly code: string; readonly text: string } | null;
}

/** The network does not take a message: no compute node ever sees it. */
export class NotTaken extends Error {
  override readonly name = "NotTaken";
}

const SCHEDULER = ethWallet("scheduler");

export interface TargetOptions {
  readonly ipv4Pool: string;
  readonly firstHostPort: number;
  readonly changes?: Partial<ComputeSettings>;
}

export async function startTargetNode({
  ipv4Pool,
  firstHostPort,
  changes = {},
}: TargetOptions): Promise<TargetNode> {
  const core = await startTestCoreNode();
  const { identity, allocation, network, capacity } = DEFAULT_COMPUTE_SETTINGS;
  const compute = await startTestComputeNode([core.apiUrl], {
    identity: { ...identity, domainName: "localhost" },
    allocation: { ...allocation, signers: [SCHEDULER.address] },
    network: { ...network, ipv4Pool, firstHostPort, lastHostPort: firstHostPort + 99 },
    capacity: { ...capacity, vcpuOvercommit: 64 },
    ...changes,
  });
  const { client, owner } = core;
  const dir = join(compute.dataDir, "compute");
  const url = (path: string): string => `${compute.node.apiUrl}${path}`;
  return {
    core,
    compute,
    async store(bytes) {
      const file = new Blob([typeof bytes === "string" ? bytes : new Uint8Array(bytes)]);
      return (await client.storeFile({ account: owner, file, payment: { type: "credit" }, sync: true }))
        .itemHash;
    },
    program: (content) =>
      taken(client.createProgram({ account: owner, content: content as never, sync: true })),
    instance: (content) =>
      taken(client.createInstance({ account: owner, content: content as never, sync: true })),
    visit: (vmHash, path = "/") => visit(url(`/vm/${vmHash}${path}`)),
    async place({ programs = [], instances = [] }) {
      const path = "/control/allocations";
      const body = JSON.stringify({ persistent_vms: programs, instances });
      const iat = Math.floor(Date.now() / 1_000);
      const request = { method: "POST", path, body, iat, nonce: String(Math.random()) };
      const headers = { authorization: await schedulerHeader(SCHEDULER, request) };
      const answer = await fetch(url(path), { method: "POST", body, headers });
      return ((await answer.json()) as { readonly errors: Record<string, string> }).errors;
    },
    async listed(vmHash) {
      const list = (await (await fetch(url("/v2/about/executions/list"))).json()) as Record<string, Listed>;
      return list[vmHash] ?? null;
    },
    leftOf: (vmHash) => leftOf(dir, vmHash),
    async [Symbol.asyncDispose]() {
      await endMachines(dir);
      await compute[Symbol.asyncDispose]();
      await core[Symbol.asyncDispose]();
    },
  };
}

async function taken(publication: Promise<{ readonly itemHash: string; readonly status: string }>) {
  try {
    const { itemHash, status } = await publication;
    if (status === "processed") return itemHash;
    throw new NotTaken(`the message ${itemHash} stays ${status}`);
  } catch (error) {
    if (!isSdkError(error)) throw error;
    throw new NotTaken(error.message, { cause: error });
  }
}

let visitors = 0;

/** Each time as another client: one alone may not have many programs started. */
async function visit(url: string): Promise<Visit> {
  visitors += 1;
  const startedMs = performance.now();
  const localAddress = `127.0.${1 + (visitors >> 8)}.${visitors & 255}`;
  const asked = request(url, { localAddress, agent: false }).end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  const text = (await answer.setEncoding("utf8").toArray()).join("");
  return { status: answer.statusCode ?? 0, text, tookMs: performance.now() - startedMs };
}

/** Processes, devices, rules, control groups and sockets, and files of disks; not the log, which its owner may read. */
async function leftOf(dir: string, vmHash: string): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(30_000);
  using hypervisor = await openHelper(dir, signal);
  const { entries, orphans } = await hypervisor.helper.call<Inventory>("inventory", {}, signal);
  const own = entries.filter((entry) => entry.vmHash === vmHash && entry.kind !== "folder");
  const disks = join(dir, "vms", vmHash);
  const files = existsSync(disks) ? await readdir(disks, { recursive: true }) : [];
  return [...[...own, ...orphans].map(({ kind, name }) => `${kind} ${name}`), ...files];
}

function openHelper(dir: string, signal: AbortSignal): Promise<HelperHypervisor> {
  const [timers, log] = [createSystemTimers(), createMemoryLogger()];
  return HelperHypervisor.open({ dir, command: null, timers, log }, signal);
}

/** Machines outlive their node, and would outlive the test. */
async function endMachines(dir: string): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  using hypervisor = await openHelper(dir, signal);
  for (const { vmHash } of await hypervisor.list(signal)) {
    const vm = await hypervisor.find(vmHash, signal);
    await vm?.kill();
    await vm?.exited;
  }
}

/** A program of this runtime, code and volumes that asks for little. */
export const smallProgram = (runtime: string, code: string, more: object = {}): object =>
  PROGRAM(code, {
    runtime: { ref: runtime, use_latest: false, comment: "" },
    code: { encoding: "plain", entrypoint: "main:app", ref: code, use_latest: false },
    environment: { internet: false, aleph_api: false },
    resources: { vcpus: 1, memory: 256, seconds: 10 },
    on: { http: true },
    ...more,
  });

export const smallInstance = (parent: string, more: object = {}): object =>
  INSTANCE(parent, {
    resources: { vcpus: 1, memory: 256 },
    rootfs: { parent: { ref: parent, use_latest: false }, persistence: "host", size_mib: 64 },
    ...more,
  });
