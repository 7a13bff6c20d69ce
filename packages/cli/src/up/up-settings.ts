import { LOG_LEVELS } from "@twentysix/platform";
import type { KeepingRule } from "@twentysix/testnet";

export interface UpSettings {
  readonly core: number;
  readonly compute: number;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute; none: the cache of this user. */
  readonly imagesDir?: string;
  readonly basePort: number;
  readonly durability: string;
  readonly logLevel: string;
  readonly json: boolean;
}

const MAX_CORE_NODES = 100;
const MAX_COMPUTE_NODES = 40;
const MAX_PORT = 65_535;
/** Two a core node, one for the chain, one for the faucet; one a compute node, and one for their scheduler. */
const portsOf = (coreNodes: number, computeNodes: number): number =>
  2 * coreNodes + 2 + (computeNodes === 0 ? 0 : computeNodes + 1);

const MIN_COPIES = 2;
const MAX_COPIES = 64;

/** Smaller files are copied: a shard of them would be less than a block. */
const MIN_CODED_FILE_BYTES = 64 * 1024;

/** How files are kept by a class; null: there is no such class. */
export function keepingOf(durability: string): KeepingRule | null {
  if (durability === "everyone") return { copies: null };
  const copies = /^copies:(\d{1,3})$/.exec(durability)?.[1];
  if (copies !== undefined) return { copies: Number(copies) };
  const [, k, n] = /^erasure:(\d{1,3})\/(\d{1,3})$/.exec(durability) ?? [];
  if (k === undefined || n === undefined) return null;
  const [dataShards, totalShards] = [Number(k), Number(n)];
  // As many nodes may vanish as of a file in shards.
  const copiesOfSmall = totalShards - dataShards + 1;
  return {
    copies: copiesOfSmall,
    erasure: { dataShards, totalShards, minFileBytes: MIN_CODED_FILE_BYTES },
  };
}

/** What is wrong with the settings, in one line; null: nothing. */
export function upProblem({ core, compute, basePort, durability, logLevel }: UpSettings): string | null {
  if (core < 1 || core > MAX_CORE_NODES) {
    return `--core: expected a whole number from 1 to ${MAX_CORE_NODES}, got ${core}`;
  }
  if (compute > MAX_COMPUTE_NODES) {
    return `--compute: expected a whole number from 0 to ${MAX_COMPUTE_NODES}, got ${compute}`;
  }
  const ports = portsOf(core, compute);
  const lastBasePort = MAX_PORT - ports + 1;
  if (basePort < 1 || basePort > lastBasePort) {
    return `--base-port: expected a port from 1 to ${lastBasePort}, since the nodes take ${ports} ports, got ${basePort}`;
  }
  if (!(LOG_LEVELS as readonly string[]).includes(logLevel)) {
    return `--log-level: expected one of ${LOG_LEVELS.join(", ")}, got ${JSON.stringify(logLevel)}`;
  }
  return keepingProblem(durability, core);
}

function keepingProblem(durability: string, core: number): string | null {
  const keeping = keepingOf(durability);
  if (keeping === null) {
    return `--durability: expected everyone, copies:R for R of the nodes, or erasure:K/N for N shards of which any K give the file, got ${JSON.stringify(durability)}`;
  }
  const { copies, erasure } = keeping;
  if (erasure !== undefined) {
    const { dataShards, totalShards } = erasure;
    const isCode = dataShards >= MIN_COPIES && dataShards < totalShards && totalShards <= MAX_COPIES;
    return isCode && totalShards <= core
      ? null
      : `--durability: expected erasure:K/N with ${MIN_COPIES} <= K < N <= ${MAX_COPIES}, and N nodes at least, got ${dataShards} of ${totalShards} on ${core} nodes`;
  }
  if (copies !== null && (copies < MIN_COPIES || copies > Math.min(MAX_COPIES, core))) {
    return `--durability: expected from ${MIN_COPIES} to ${MAX_COPIES} copies, and as many nodes at least, got ${copies} copies on ${core} nodes`;
  }
  return null;
}
