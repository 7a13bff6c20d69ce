import { LOG_LEVELS } from "@twentysix/platform";

export interface UpSettings {
  readonly core: number;
  /** Absolute. */
  readonly dataDir: string;
  readonly basePort: number;
  readonly durability: string;
  readonly logLevel: string;
  readonly json: boolean;
}

const MAX_CORE_NODES = 100;
const MAX_PORT = 65_535;
/** Two a node, one for the chain, one for the faucet. */
const portsOf = (coreNodes: number): number => 2 * coreNodes + 2;

const MIN_COPIES = 2;
const MAX_COPIES = 64;

/** How many nodes keep each file; null: all of them; undefined: there is no such class. */
export function copiesOf(durability: string): number | null | undefined {
  if (durability === "everyone") return null;
  const copies = /^copies:(\d{1,3})$/.exec(durability)?.[1];
  return copies === undefined ? undefined : Number(copies);
}

/** What is wrong with the settings, in one line; null: nothing. */
export function upProblem({ core, basePort, durability, logLevel }: UpSettings): string | null {
  if (core < 1 || core > MAX_CORE_NODES) {
    return `--core: expected a whole number from 1 to ${MAX_CORE_NODES}, got ${core}`;
  }
  const lastBasePort = MAX_PORT - portsOf(core) + 1;
  if (basePort < 1 || basePort > lastBasePort) {
    return `--base-port: expected a port from 1 to ${lastBasePort}, since ${core} nodes take ${portsOf(core)} ports, got ${basePort}`;
  }
  const copies = copiesOf(durability);
  if (copies === undefined) {
    return `--durability: expected everyone, or copies:R for R of the nodes (erasure:K/N is not built yet), got ${JSON.stringify(durability)}`;
  }
  if (copies !== null && (copies < MIN_COPIES || copies > Math.min(MAX_COPIES, core))) {
    return `--durability: expected from ${MIN_COPIES} to ${MAX_COPIES} copies, and as many nodes at least, got ${copies} copies on ${core} nodes`;
  }
  if (!(LOG_LEVELS as readonly string[]).includes(logLevel)) {
    return `--log-level: expected one of ${LOG_LEVELS.join(", ")}, got ${JSON.stringify(logLevel)}`;
  }
  return null;
}
