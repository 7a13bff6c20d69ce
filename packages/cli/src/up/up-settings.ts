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

/** What is wrong with the settings, in one line; null: nothing. */
export function upProblem({ core, basePort, durability, logLevel }: UpSettings): string | null {
  if (core < 1 || core > MAX_CORE_NODES) {
    return `--core: expected a whole number from 1 to ${MAX_CORE_NODES}, got ${core}`;
  }
  const lastBasePort = MAX_PORT - portsOf(core) + 1;
  if (basePort < 1 || basePort > lastBasePort) {
    return `--base-port: expected a port from 1 to ${lastBasePort}, since ${core} nodes take ${portsOf(core)} ports, got ${basePort}`;
  }
  if (durability !== "everyone") {
    return `--durability: every node keeps every file, so the only class there is yet is everyone, got ${JSON.stringify(durability)}`;
  }
  if (!(LOG_LEVELS as readonly string[]).includes(logLevel)) {
    return `--log-level: expected one of ${LOG_LEVELS.join(", ")}, got ${JSON.stringify(logLevel)}`;
  }
  return null;
}
