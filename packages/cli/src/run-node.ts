import type { NodeConfig } from "@twentysix/node/config";
import { createPinoLogger, isAbortOf, type Logger, listenForShutdown } from "@twentysix/platform";
import { type CommandHost, codedMessage, exitCodeOf } from "./command-host.ts";
import { EXIT, exitCodeOfSignal } from "./exit-codes.ts";
import type { RunningNode } from "./node-module.ts";

/** A clean stop takes at most this long; whoever stopped us expects us gone within 5 s. */
const STOP_TIMEOUT_MS = 4_500;

/**
 * Runs a node until it is told to stop. Prints the line `ready {...}` once it answers.
 * @returns the exit code.
 */
export async function runNode(config: NodeConfig, host: CommandHost): Promise<number> {
  const logger = createPinoLogger({ level: config.logLevel });
  const stop = listenForStop(host, logger);
  try {
    const node = await start(config, host, stop.signal);
    if (typeof node === "number") return node;
    announce(node, config, host, logger);
    const ending = await Promise.race([stop.requested, node.failed.catch((error: unknown) => ({ error }))]);
    const hasFailed = typeof ending !== "string";
    if (hasFailed) logger.error("a part of the node failed; stopping", ending);
    else logger.info("stopping", { reason: ending });
    await node.close();
    logger.info("stopped");
    return hasFailed ? EXIT.failed : EXIT.ok;
  } finally {
    stop.release();
  }
}

interface StopWatch {
  /** Resolves with the reason of the first request to stop. */
  readonly requested: Promise<string>;
  /** Aborts with it. */
  readonly signal: AbortSignal;
  release(): void;
}

/** The first request starts the clock of the clean stop, whatever the node is doing; a second ends it. */
function listenForStop(host: CommandHost, logger: Logger): StopWatch {
  const { promise: requested, resolve } = Promise.withResolvers<string>();
  const controller = new AbortController();
  let cancelDeadline = (): void => {};
  const request = (reason: string): void => {
    cancelDeadline();
    cancelDeadline = host.timers.schedule(STOP_TIMEOUT_MS, () => {
      logger.error("the clean stop took too long; leaving at once", { timeoutMs: STOP_TIMEOUT_MS });
      host.exit(EXIT.failed);
    });
    resolve(reason);
    controller.abort();
  };
  const stopListening = listenForShutdown(
    { onFirst: request, onSecond: (signal) => host.exit(exitCodeOfSignal(signal)) },
    host.clock,
  );
  onParentGone(() => request("the launcher is gone"));
  return {
    requested,
    signal: controller.signal,
    release() {
      stopListening();
      cancelDeadline();
    },
  };
}

/** The node that runs, or the exit code when it could not start. */
async function start(
  config: NodeConfig,
  host: CommandHost,
  signal: AbortSignal,
): Promise<RunningNode | number> {
  const { startNode, startReplicaNode, startCloudNode } = await host.loadNode();
  const { ownCommand, environment } = host;
  const { roles } = config;
  try {
    if (roles?.includes("api")) return await startReplicaNode(config);
    if (roles !== null && !roles.includes("ccn"))
      return await startCloudNode(config, { signal, ownCommand, environment });
    return await startNode(config, { signal, ownCommand, environment });
  } catch (error) {
    if (isAbortOf(signal, error)) return EXIT.ok;
    const message = codedMessage(error);
    if (message === undefined) throw error;
    host.stderr.write(`twentysix: the node cannot start: ${message}\n`);
    return exitCodeOf(error);
  }
}

function announce(node: RunningNode, config: NodeConfig, host: CommandHost, logger: Logger): void {
  const facts = {
    api: node.apiUrl,
    p2p: node.peerAddresses,
    version: node.version,
    network: node.network,
    address: node.address,
    dataDir: config.dataDir,
    ...(node.compute === null ? {} : { compute: { api: node.compute.apiUrl } }),
    ...(node.scheduler === null ? {} : { scheduler: { api: node.scheduler.apiUrl } }),
  };
  host.stdout.write(`ready ${JSON.stringify(facts)}\n`);
  logger.info("the node is ready", facts);
}

/** The launcher holds a channel to us: when it closes, the launcher was killed and nobody wants us any more. */
function onParentGone(action: () => void): void {
  if (process.channel === undefined || process.channel === null) return;
  process.once("disconnect", action);
  process.channel.unref();
}
