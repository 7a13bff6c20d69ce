import { join } from "node:path";
import {
  defaultHelperSettings,
  defaultImagesFolder,
  helperArguments,
  type RunningComputeNode,
  startComputeNode,
} from "@twentysix/compute-node";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import { createNodeCrypto } from "@twentysix/protocol/node";
import type { NodeConfig } from "../config/index.ts";
import { loadSigner } from "../identity.ts";
import { VERSION } from "../version.ts";
import { computeSettingsOf } from "./compute-settings-of.ts";

/** What runs this program once more: the runtime with its flags, and the script. */
export interface OwnCommand {
  readonly file: string;
  readonly args: readonly string[];
}

/** What the parts of a node share. */
export interface NodeSurroundings {
  /** Of core nodes, the first asked first. */
  readonly coreNodeUrls: readonly string[];
  readonly definition: NetworkDefinition;
  /** null: the host helper is started by somebody else. */
  readonly ownCommand: OwnCommand | null;
  /** Says where the cache of this user is. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** Starts the compute node of this process. @throws what `startComputeNode` does */
export function startCompute(
  config: NodeConfig,
  surroundings: NodeSurroundings,
  ownerAddress: string | null,
  signal: AbortSignal,
): Promise<RunningComputeNode> {
  const { definition, ownCommand, environment, log, ...others } = surroundings;
  const imagesDir = config.vmImagesDir ?? defaultImagesFolder(environment);
  const settings = computeSettingsOf(config, definition);
  const identity = { ...settings.identity, ownerAddress: settings.identity.ownerAddress ?? ownerAddress };
  const isPrivate = definition.announce === "private";
  const options = {
    ...others,
    dataDir: config.dataDir,
    apiHost: config.computeHost,
    apiPort: config.computePort,
    settings: { ...settings, identity },
    helperCommand: ownCommand === null ? null : helperCommand(config, ownCommand, imagesDir),
    imagesDir,
    imageBuild: config.vmImageBuild === "auto" ? { mirror: config.vmImageMirror } : null,
    domainPorts: { http: config.vmHttpPort, tls: config.vmTlsPort },
    forwardHost: config.computeHost,
    signer: loadSigner(config.dataDir),
    developerKeys: [],
    allowsPrivateSources: isPrivate,
    version: VERSION,
    crypto: createNodeCrypto(),
    log: log.child({ part: "compute" }),
  };
  return startComputeNode(options, signal);
}

/** The helper gets what the operator says of networks; the node that asks it cannot change that. */
function helperCommand(config: NodeConfig, { file, args }: OwnCommand, imagesDir: string) {
  const settings = {
    ...defaultHelperSettings(join(config.dataDir, "compute")),
    imagesDir,
    ipv4Pool: config.vmIpv4Pool,
    ipv6Pool: config.vmIpv6Pool,
    ipv6Policy: config.vmIpv6Policy,
    nameServers: config.vmDns,
    maxMbitPerSecond: config.vmBandwidth,
    vsockProgram: config.vmVsockDevice,
    // Started by a node, it goes some time after the last machine when no node has come back.
    exitWhenIdleMs: 60_000,
  };
  return { command: file, args: [...args, ...helperArguments(settings)] };
}
