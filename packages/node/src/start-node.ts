import { type CoreNode, startCoreNode } from "@twentysix/core-node";
import {
  createPinoLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
  keepHeapSmall,
} from "@twentysix/platform";
import { networkHash } from "@twentysix/protocol";
import { createBlobEngine } from "@twentysix/storage";
import { apiSettingsOf } from "./api-settings.ts";
import { readAuthorityInputs, startNetworkAuthority } from "./authority.ts";
import { chainSettingsOf } from "./chain-settings.ts";
import { startCloudBeside } from "./cloud/start-cloud-beside.ts";
import type { OwnCommand } from "./cloud/start-compute.ts";
import type { NodeConfig } from "./config/index.ts";
import { lockDataDir } from "./data-lock.ts";
import { gracePeriodMsOf } from "./grace-period.ts";
import { loadIdentity } from "./identity.ts";
import { loadNetwork } from "./network.ts";
import { peerSettingsOf } from "./peer-settings.ts";
import { SettingError } from "./setting-error.ts";
import { VERSION } from "./version.ts";

/** A node that answers, whatever its roles. */
export interface ServingNode {
  /** Where the HTTP API is: `http://127.0.0.1:4024`. */
  readonly apiUrl: string;
  /** Where other nodes reach it; empty where it keeps to itself. */
  readonly peerAddresses: readonly string[];
  readonly network: string;
  /** The address that the node signs with. */
  readonly address: string;
  readonly version: string;
  /** Where the compute node's API is; null where the process has no such role. */
  readonly compute: { readonly apiUrl: string } | null;
  readonly scheduler: { readonly apiUrl: string } | null;
  /** Rejects when a part fails that the node cannot live without. */
  readonly failed: Promise<never>;
  /** Finishes what is acknowledged, then lets go of everything. */
  close(): Promise<void>;
}

/** A node that runs and answers. */
export interface RunningNode extends ServingNode {
  /** Direct access to the parts, for commands and tests in the same process. */
  readonly core: CoreNode;
}

export interface StartOptions {
  readonly signal?: AbortSignal;
  /** What starts the host helper of a compute node; null: somebody else starts it. */
  readonly ownCommand?: OwnCommand | null;
  /** Says where the cache of this user is. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * The composition root: config to services, in dependency order; `close` is its mirror. Where another process writes
 * to the database it waits until that is gone, or the signal aborts.
 */
export async function startNode(
  config: NodeConfig,
  { signal, ownCommand = null, environment = {} }: StartOptions = {},
): Promise<RunningNode> {
  const definition = loadNetwork(config.network);
  const log = createPinoLogger({ level: config.logLevel });
  log.info("starting", {
    network: definition.name,
    networkHash: networkHash(definition),
    dataDir: config.dataDir,
  });
  const authorityInputs = await readAuthorityInputs(config, definition);
  const clock = createSystemClock();
  const timers = createSystemTimers();
  await using stack = new AsyncDisposableStack();
  stack.use(keepHeapSmall());
  const lock = lockDataDir(config.dataDir);
  stack.defer(() => lock.release());
  const identity = loadIdentity(config.dataDir);
  const peers = peerSettingsOf(config, definition);
  const chains = await chainSettingsOf(config, definition);
  const core = await startCoreNode({
    dataDir: config.dataDir,
    database: config.database,
    apiHost: config.apiHost,
    apiPort: config.apiPort,
    definition,
    apiSettings: apiSettingsOf(config, gracePeriodMsOf(config, definition)),
    ...(peers === null ? {} : { peers }),
    chains,
    engine: createBlobEngine(config.blobs, { timers, random: createSystemRandom(), log }),
    maxDiskBytes: config.maxDiskBytes,
    maxMemoryBytes: config.maxMemoryBytes,
    memoryUsage: () => process.memoryUsage.rss(),
    version: VERSION,
    address: identity.address,
    clock,
    timers,
    log,
    logPretty: process.stderr.isTTY === true,
    ...(signal === undefined ? {} : { signal }),
  });
  stack.defer(() => core.close());
  if (authorityInputs !== null) {
    const random = createSystemRandom();
    const services = { apiUrl: core.apiUrl, clock, timers, random, log };
    const authority = await startNetworkAuthority(config, definition, authorityInputs, services);
    stack.defer(() => authority.close());
  }
  const cloud = await startCloudBeside(config, {
    definition,
    core,
    ownCommand,
    environment,
    clock,
    timers,
    log,
    signal: signal ?? new AbortController().signal,
  });
  stack.defer(() => cloud.close());
  const running = stack.move();
  return {
    apiUrl: core.apiUrl,
    peerAddresses: core.peerAddresses(),
    network: definition.name,
    address: identity.address,
    version: VERSION,
    compute: cloud.compute === null ? null : { apiUrl: cloud.compute.apiUrl },
    scheduler: cloud.scheduler === null ? null : { apiUrl: cloud.scheduler.apiUrl },
    failed: core.failed,
    core,
    close: () => running.disposeAsync(),
  };
}

/** A node of the role `api`: it serves what another one writes. @throws SettingError DATABASE_MISSING */
export async function startReplicaNode(config: NodeConfig): Promise<ServingNode> {
  const { database } = config;
  if (database === null) {
    throw new SettingError("DATABASE_MISSING", "roles", "the role api needs the --database of another node");
  }
  const definition = loadNetwork(config.network);
  const log = createPinoLogger({ level: config.logLevel });
  log.info("starting as a replica", { network: definition.name, networkHash: networkHash(definition) });
  await using stack = new AsyncDisposableStack();
  stack.use(keepHeapSmall());
  const lock = lockDataDir(config.dataDir);
  stack.defer(() => lock.release());
  const identity = loadIdentity(config.dataDir);
  const { startReplica } = await import("@twentysix/core-node/replica");
  const replica = await startReplica({
    database,
    apiHost: config.apiHost,
    apiPort: config.apiPort,
    definition,
    apiSettings: apiSettingsOf(config, gracePeriodMsOf(config, definition)),
    maxMemoryBytes: config.maxMemoryBytes,
    memoryUsage: () => process.memoryUsage.rss(),
    version: VERSION,
    address: identity.address,
    clock: createSystemClock(),
    timers: createSystemTimers(),
    log,
  });
  stack.defer(() => replica.close());
  const running = stack.move();
  return {
    apiUrl: replica.apiUrl,
    peerAddresses: [],
    network: definition.name,
    address: identity.address,
    version: VERSION,
    compute: null,
    scheduler: null,
    failed: new Promise<never>(() => undefined),
    close: () => running.disposeAsync(),
  };
}
