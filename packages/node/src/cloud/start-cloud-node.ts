import {
  createPinoLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
  keepHeapSmall,
} from "@twentysix/platform";
import { networkHash } from "@twentysix/protocol";
import type { NodeConfig } from "../config/index.ts";
import { lockDataDir } from "../data-lock.ts";
import { loadIdentity } from "../identity.ts";
import { loadNetwork } from "../network.ts";
import { SettingError } from "../setting-error.ts";
import type { ServingNode, StartOptions } from "../start-node.ts";
import { VERSION } from "../version.ts";
import { startCloudParts } from "./start-cloud-parts.ts";

/** A node of the roles `crn` and `scheduler` alone: it reads messages from core nodes elsewhere. @throws SettingError CORE_NODES_MISSING */
export async function startCloudNode(
  config: NodeConfig,
  { ownCommand = null, signal = NEVER, environment = {} }: StartOptions = {},
): Promise<ServingNode> {
  const roles = config.roles ?? [];
  const isScheduler = roles.every((role) => role === "scheduler");
  const { readSchedulerEnvironment } = await import("@twentysix/services");
  const isToldElsewhere = isScheduler && readSchedulerEnvironment(environment).coreApiUrl !== null;
  if (config.coreNodes.length === 0 && !isToldElsewhere) {
    const reason = `the roles ${roles.join(" and ")} need the API of a core node, such as http://127.0.0.1:4024`;
    throw new SettingError("CORE_NODES_MISSING", "coreNodes", reason);
  }
  const definition = loadNetwork(config.network);
  const log = createPinoLogger({ level: config.logLevel });
  log.info("starting", { roles, network: definition.name, networkHash: networkHash(definition) });
  await using stack = new AsyncDisposableStack();
  stack.use(keepHeapSmall());
  const lock = lockDataDir(config.dataDir);
  stack.defer(() => lock.release());
  const identity = loadIdentity(config.dataDir);
  const parts = await startCloudParts(config, {
    roles,
    ownerAddress: null,
    coreNodeUrls: config.coreNodes,
    definition,
    ownCommand,
    environment,
    signal,
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
    log,
  });
  stack.defer(() => parts.close());
  const running = stack.move();
  return {
    apiUrl: parts.compute?.apiUrl ?? parts.scheduler?.apiUrl ?? "",
    peerAddresses: [],
    network: definition.name,
    address: identity.address,
    version: VERSION,
    compute: parts.compute === null ? null : { apiUrl: parts.compute.apiUrl },
    scheduler: parts.scheduler === null ? null : { apiUrl: parts.scheduler.apiUrl },
    failed: new Promise<never>(() => undefined),
    close: () => running.disposeAsync(),
  };
}

const NEVER = new AbortController().signal;
