import { join } from "node:path";
import type { Timers } from "@twentysix/platform";
import { HOST } from "../ports.ts";
import type { ProductCommand } from "../processes/core-node-process.ts";
import { startNodeProcess } from "../processes/node-process.ts";
import type { PartProcess } from "../processes/part-process.ts";

/** What compute nodes and the scheduler share. */
export interface ComputePartOptions {
  readonly command: ProductCommand;
  readonly dataDir: string;
  readonly logLevel: string;
  readonly networkFile: string;
  /** APIs of the core nodes. */
  readonly coreNodes: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timers: Pick<Timers, "schedule" | "withTimeout">;
  readonly signal: AbortSignal;
}

export interface ComputePlace {
  /** From 0 on: ranges of addresses and ports of nodes on one machine follow from it. */
  readonly index: number;
  readonly name: string;
  readonly port: number;
  readonly nodeHash: string;
  readonly owner: string;
  readonly imagesDir: string;
  /** Hash of the program that the node is checked with. */
  readonly checkProgram: string;
}

export const computeName = (index: number): string => `compute-${index + 1}`;

/** Ports of one node that are forwarded to guests. */
const FORWARDED_PORTS = 1_000;
const FIRST_FORWARDED_PORT = 24_000;

/** Starts a compute node. @throws TestnetError TESTNET_PART_ENDED */
export async function startComputeNode(
  place: ComputePlace,
  options: ComputePartOptions,
): Promise<{ readonly apiUrl: string; readonly process: PartProcess }> {
  const { index, name, port, nodeHash, owner, imagesDir, checkProgram } = place;
  const { process: part, facts } = await startNodeProcess({
    ...options,
    name,
    logFile: join(options.dataDir, "logs", `${name}.log`),
    flags: [
      ...commonFlags(name, options),
      ...["--roles", "crn", "--compute-host", HOST, "--compute-port", String(port)],
      ...["--compute-node-hash", nodeHash, "--compute-owner", owner],
      ...["--check-program", checkProgram],
      ...[
        "--vm-images-dir",
        imagesDir,
        "--vm-first-port",
        String(FIRST_FORWARDED_PORT + index * FORWARDED_PORTS),
      ],
      ...["--vm-ipv4-pool", `10.${IPV4_POOLS + index}.0.0/16`],
      ...["--vm-ipv6-pool", `fd26:26:26:${index.toString(16)}::/64`],
    ],
  });
  return { apiUrl: facts.compute?.api ?? facts.api, process: part };
}

/** Second byte of the addresses of the first node's machines. */
const IPV4_POOLS = 126;

/** Starts the scheduler of the network. @throws TestnetError TESTNET_PART_ENDED */
export async function startSchedulerNode(
  port: number,
  options: ComputePartOptions,
): Promise<{ readonly apiUrl: string; readonly process: PartProcess }> {
  const name = "scheduler";
  const { process: part, facts } = await startNodeProcess({
    ...options,
    name,
    logFile: join(options.dataDir, "logs", `${name}.log`),
    flags: [
      ...commonFlags(name, options),
      ...["--roles", "scheduler", "--scheduler-host", HOST, "--scheduler-port", String(port)],
    ],
  });
  return { apiUrl: facts.scheduler?.api ?? facts.api, process: part };
}

const commonFlags = (
  name: string,
  { dataDir, logLevel, networkFile, coreNodes }: ComputePartOptions,
): readonly string[] => [
  ...["--data-dir", join(dataDir, name), "--network", networkFile, "--log-level", logLevel],
  ...["--core-nodes", coreNodes.join(",")],
];
