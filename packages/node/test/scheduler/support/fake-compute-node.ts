import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { recoverMessageAddress } from "viem";
import { type FakeMigrations, fakeMigrations } from "./fake-migrations.ts";

/** What a compute node was told. */
export interface Push {
  readonly route: string;
  readonly persistent_vms: readonly string[];
  readonly instances: readonly string[];
  readonly ended?: readonly string[];
  readonly elsewhere_after_seconds?: Readonly<Record<string, number>>;
  readonly atMs: number;
}

export interface FakeNodeOptions {
  readonly hash: string;
  /** Whose signatures it accepts; none: nobody's. */
  readonly signers: readonly string[];
  readonly ipv6Pool?: string;
  readonly memoryKilobytes?: number;
}

/** Answers like a compute node, and starts and stops machines at once. */
export interface FakeComputeNode extends AsyncDisposable {
  readonly hash: string;
  readonly address: string;
  readonly pushes: readonly Push[];
  readonly running: Set<string>;
  readonly migrations: FakeMigrations;
  signers: readonly string[];
  /** Says no to a machine with this text. */
  readonly refuses: Map<string, string>;
  /** Answers nothing: connections are cut. */
  isSilent: boolean;
  /** Answers everybody but this signer and who signs nothing. */
  silentTo: string | null;
  /** Takes lists on the newer route alone. */
  isGovernedByV2: boolean;
  /** Answers for its plan, as newer nodes do. */
  hasPlans: boolean;
  /** Has the older list of machines alone. */
  isOld: boolean;
  /** Told as stopped with the next list. */
  stopsToo: readonly string[];
  /** Forgets what it runs, without stopping it in the eyes of anybody. */
  ignoresLists: boolean;
  /** Machines of which it promises that they will have ended; null: it knows nothing of that. */
  promises: ReadonlySet<string> | "all" | null;
  /** When somebody it trusts last spoke to it. */
  lastContactMs: number;
  readonly problems: readonly string[];
}

export async function startFakeComputeNode(options: FakeNodeOptions): Promise<FakeComputeNode> {
  const problems: string[] = [];
  const pushes: Push[] = [];
  const sockets = new Set<Socket>();
  const seenPayloads = new Set<string>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      problems.push(String(error));
      response.destroy();
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    if (node.isSilent) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const running = new Set<string>();
  const node: FakeComputeNode = {
    hash: options.hash,
    address: `http://127.0.0.1:${port}/`,
    pushes,
    running,
    migrations: fakeMigrations(running),
    signers: options.signers,
    refuses: new Map(),
    isSilent: false,
    silentTo: null,
    isGovernedByV2: false,
    isOld: false,
    hasPlans: false,
    stopsToo: [],
    ignoresLists: false,
    promises: null,
    lastContactMs: 0,
    problems,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (node.isSilent) {
      response.destroy();
      return;
    }
    const path = request.url ?? "";
    const send = (status: number, json: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    };
    const signer = await signerOf(request, path, body, seenPayloads, problems);
    const isTrusted = signer !== null && node.signers.includes(signer);
    if (node.silentTo !== null && (signer === null || signer === node.silentTo)) {
      response.destroy();
      return;
    }
    if (isTrusted) node.lastContactMs = Date.now();
    if (path === "/about/usage/system") return send(200, usage(options));
    if (path === "/status/config") return send(200, configuration(options));
    if (path === "/v2/about/executions/list" && node.isOld) return send(404, { error: "404: Not Found" });
    if (path === "/v2/about/executions/list") return send(200, listV2(running));
    if (path === "/about/executions/list") return send(200, listV1(running));
    if (!isTrusted) return send(401, { error: "Authentication token received is invalid" });
    const migration = node.migrations.answer(request.method ?? "", path, body);
    if (migration !== null) return send(migration.status, migration.json);
    if (path === "/control/allocations" && node.isGovernedByV2) {
      return send(409, { success: false, code: "governed_by_v2_plan", endpoint: "/v2/control/allocations" });
    }
    if (node.hasPlans && path === "/v2/control/allocations" && request.method === "GET") {
      return send(200, { plan_id: null, vms: [] });
    }
    if (request.method !== "POST" || !path.endsWith("/control/allocations"))
      return send(404, { error: "404: Not Found" });
    const list = JSON.parse(body) as Omit<Push, "route" | "atMs">;
    pushes.push({ route: path, ...list, atMs: Date.now() });
    return send(...take(list));
  }

  function take(list: Omit<Push, "route" | "atMs">): [number, unknown] {
    const { promises } = node;
    const asked = Object.keys(list.elsewhere_after_seconds ?? {});
    const fenced = promises === "all" ? asked : asked.filter((hash) => promises?.has(hash));
    const promised = promises === null ? {} : { fenced };
    const wanted = [...list.persistent_vms, ...list.instances];
    const failing = wanted.filter((hash) => node.refuses.has(hash) || node.migrations.isExported(hash));
    const stopped = [...running].filter((hash) => !wanted.includes(hash));
    if (!node.ignoresLists) {
      for (const hash of stopped) running.delete(hash);
      for (const hash of wanted) if (!failing.includes(hash)) running.add(hash);
    }
    const errors = Object.fromEntries(
      failing.map((hash) => [hash, node.refuses.get(hash) ?? "it is being moved"]),
    );
    const told = { failing, stopped: [...stopped, ...node.stopsToo], errors };
    node.stopsToo = [];
    const successful = wanted.filter((hash) => !failing.includes(hash));
    if (node.isGovernedByV2 || node.hasPlans)
      return [202, { accepted: successful, rejected: errors, plan_id: "1", ...promised }];
    const status = failing.length === 0 ? 200 : successful.length === 0 ? 503 : 207;
    return [status, { success: failing.length === 0, successful, ...told, ...promised }];
  }
  return node;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** Checks a call as nodes do, with another implementation of signatures than the one that made it. */
async function signerOf(
  { headers, method }: IncomingMessage,
  path: string,
  body: string,
  seen: Set<string>,
  problems: string[],
): Promise<string | null> {
  const header = headers.authorization;
  if (header === undefined) return null;
  if (headers["content-length"] === undefined) problems.push(`${path}: no Content-Length`);
  const match = /^Aleph-EIP191-V1 sig=(0x[0-9a-f]{130}),payload=([0-9a-f]+)$/.exec(header);
  assert.ok(match?.[1] !== undefined && match[2] !== undefined, header);
  if (seen.has(match[2])) problems.push(`${path}: the same payload twice`);
  seen.add(match[2]);
  const payload = JSON.parse(Buffer.from(match[2], "hex").toString()) as Record<string, unknown>;
  const expected = createHash("sha256").update(body).digest("hex");
  const isFresh = Math.abs(Date.now() / 1_000 - Number(payload.iat)) <= 300;
  const isOfCall = payload.method === method && payload.path === path;
  if (!isFresh || !isOfCall || payload.body_sha256 !== expected) {
    problems.push(`${path}: a signature of something else`);
    return null;
  }
  const signature = match[1] as `0x${string}`;
  const raw = `0x${match[2]}` as const;
  return recoverMessageAddress({ message: { raw }, signature });
}

const usage = ({ memoryKilobytes = 64_000_000 }: FakeNodeOptions) => ({
  cpu: { count: 8, load_average: { load1: 0, load5: 0, load15: 0 }, core_frequencies: { min: 0, max: 0 } },
  mem: { total_kB: memoryKilobytes, available_kB: memoryKilobytes },
  disk: { total_kB: 1_900_000_000, available_kB: 1_500_000_000 },
  period: { start_timestamp: "2026-01-01T00:00:00Z", duration_seconds: 60 },
  properties: { cpu: { architecture: "x86_64", vendor: "AuthenticAMD", features: ["sev", "avx2"] } },
  gpu: {
    devices: [GPU, GPU],
    available_devices: [GPU],
  },
  active: true,
});

const GPU = {
  vendor: "NVIDIA",
  model: "RTX 6000 ADA",
  device_name: "AD102GL [RTX 6000 Ada Generation]",
  device_class: "0300",
  device_id: "10de:26b1",
};

const configuration = ({ hash, ipv6Pool = "2a01:4f8:171:1::/64" }: FakeNodeOptions) => ({
  DOMAIN_NAME: "127.0.0.1",
  node_hash: hash,
  version: "1.13.0",
  networking: { IPV6_ADDRESS_POOL: ipv6Pool, IPV6_ALLOCATION_POLICY: "IPv6AllocationPolicy.static" },
  payment: { PAYMENT_RECEIVER_ADDRESS: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" },
  computing: {
    ENABLE_QEMU_SUPPORT: true,
    ENABLE_CONFIDENTIAL_COMPUTING: false,
    ENABLE_GPU_SUPPORT: true,
  },
});

const listV2 = (running: ReadonlySet<string>) => ({
  ...Object.fromEntries(
    [...running].map((hash) => [
      hash,
      {
        networking: {
          ipv4_network: "172.16.3.0/24",
          host_ipv4: "203.0.113.5",
          ipv6_network: "2a01:4f8:171:1:3:deca:deca:dec0/124",
          ipv6_ip: "2a01:4f8:171:1:3:deca:deca:dec1",
          mapped_ports: { "22": { host: 24_000, tcp: true, udp: false } },
        },
        status: { defined_at: "2026-01-01 00:00:00+00:00" },
        running: true,
        vm_type: "instance",
      },
    ]),
  ),
  // What visitors started, and what is odd, hides nothing.
  ["f".repeat(64)]: { networking: {}, running: true, vm_type: "microvm" },
});

const listV1 = (running: ReadonlySet<string>) =>
  Object.fromEntries(
    [...running].map((hash) => [hash, { networking: { ipv4: "172.16.3.0/24" }, vm_type: "instance" }]),
  );
