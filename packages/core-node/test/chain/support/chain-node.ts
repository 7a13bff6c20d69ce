import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { denyListOf } from "@twentysix/network";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemTimers,
  type MemoryLogger,
} from "@twentysix/platform";
import { type NetworkDefinition, parseJson, parseNetworkDefinition } from "@twentysix/protocol";
import { DEFAULT_API_SETTINGS } from "../../../src/api/settings.ts";
import type { ChainSettings } from "../../../src/chain/chain-settings.ts";
import { type CoreNode, startCoreNode } from "../../../src/core-node.ts";
import type { TestChain } from "./chain.ts";

export interface ChainNodeOptions {
  readonly emitters?: readonly string[] | null;
  readonly finalityDepth?: number;
  /** The switch of that name; as in the local network by default. */
  readonly contractWallets?: boolean;
  readonly settings?: Partial<ChainSettings>;
  /** Connected peers, each by a node that was started before. */
  readonly peers?: readonly ChainNode[];
  /** A database on a server instead of the one in the folder. */
  readonly database?: string;
  /** Of an earlier node that was closed; a new one by default. */
  readonly dataDir?: string;
}

export interface ChainNode {
  readonly core: CoreNode;
  readonly log: MemoryLogger;
  readonly dataDir: string;
  /** Answer of a route, which must be there. */
  get(path: string): Promise<unknown>;
  submit(text: string): Promise<void>;
  /** Uploads a file without a message. Returns its CID. */
  upload(bytes: Uint8Array<ArrayBuffer>): Promise<string>;
  confirmations(itemHash: string): Promise<readonly Confirmed[]>;
  metric(name: string): Promise<number>;
}

export interface Confirmed {
  readonly chain: string;
  readonly hash: string;
  readonly height: number;
}

/** The local network, anchored on the chain of the test. */
export async function anchoredNetwork(
  chain: Pick<TestChain, "contract">,
  { emitters = null, finalityDepth = 0, contractWallets }: ChainNodeOptions = {},
): Promise<NetworkDefinition> {
  const path = new URL("../../../../../networks/local.json", import.meta.url);
  const json = parseJson(await readFile(path, "utf8"));
  const read = json.ok ? parseNetworkDefinition(json.value) : null;
  if (read === null || !read.ok) throw new Error("networks/local.json is not a network definition");
  const sync = {
    contract: chain.contract,
    startHeight: 0,
    reader: "rpc",
    events: ["sync", "message"],
    authorisedEmitters: emitters,
    remark: null,
    finalityDepth,
  } as const;
  const { definition } = read;
  const switches = contractWallets === undefined ? {} : { contractWallets };
  return {
    ...definition,
    switches: { ...definition.switches, ...switches },
    chains: definition.chains.map((one) => ({ ...one, sync })),
  };
}

/** Nodes of a test by their folders: the last one that is closed has its folder removed. */
const users = new Map<string, number>();

/** A whole node of that network. */
export async function startChainNode(
  context: TestContext,
  chain: Pick<TestChain, "contract" | "url">,
  options: ChainNodeOptions = {},
): Promise<ChainNode> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "twentysix-chain-")));
  const log = createMemoryLogger();
  const core = await startCoreNode({
    dataDir,
    ...(options.database === undefined ? {} : { database: options.database }),
    apiHost: "127.0.0.1",
    apiPort: 0,
    definition: await anchoredNetwork(chain, options),
    apiSettings: { ...DEFAULT_API_SETTINGS, gracePeriodMs: 86_400_000 },
    chains: { rpc: { ETH: [chain.url] }, packerKey: null, pollPeriodMs: 50, ...options.settings },
    peers: {
      keyFolder: dataDir,
      keyKind: "ed25519",
      host: "127.0.0.1",
      port: 0,
      announce: [],
      bootstrap: (options.peers ?? []).flatMap((node) => node.core.peerAddresses()),
      announcedApiUrl: null,
      gateways: [],
      denied: denyListOf([]),
    },
    maxDiskBytes: null,
    maxMemoryBytes: Number.MAX_SAFE_INTEGER,
    memoryUsage: () => 0,
    version: "test",
    address: "0x0000000000000000000000000000000000000000",
    clock: createSystemClock(),
    timers: createSystemTimers(),
    log,
    logPretty: false,
  });
  users.set(dataDir, (users.get(dataDir) ?? 0) + 1);
  context.after(async () => {
    await core.close();
    const left = (users.get(dataDir) ?? 1) - 1;
    users.set(dataDir, left);
    if (left === 0) await rm(dataDir, { recursive: true });
  });
  const get = async (path: string): Promise<unknown> => (await fetch(`${core.apiUrl}${path}`)).json();
  return {
    core,
    log,
    dataDir,
    get,
    async submit(text) {
      await core.pipeline.submit(text, { origin: "http" });
    },
    async upload(bytes) {
      const form = new FormData();
      form.append("file", new Blob([bytes]));
      const response = await fetch(`${core.apiUrl}/api/v0/ipfs/add_file`, { method: "POST", body: form });
      return ((await response.json()) as { hash: string }).hash;
    },
    async confirmations(itemHash) {
      const answer = (await get(`/api/v0/messages/${itemHash}`)) as {
        status?: string;
        message?: { confirmations?: Confirmed[] };
      };
      return answer.status === "processed" ? (answer.message?.confirmations ?? []) : [];
    },
    async metric(name) {
      const text = await (await fetch(`${core.apiUrl}/metrics`)).text();
      const line = text.split("\n").find((one) => one.startsWith(`${name} `) || one.startsWith(`${name}{`));
      return line === undefined ? Number.NaN : Number(line.split(" ").at(-1));
    },
  };
}
