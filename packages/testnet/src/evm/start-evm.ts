import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { anvilPath } from "@twentysix/contracts/anvil";
import type { Timers } from "@twentysix/platform";
import { TestnetError } from "../errors.ts";
import { HOST } from "../ports.ts";
import { type PartProcess, startPart } from "../processes/part-process.ts";

export interface EvmOptions {
  readonly port: number;
  /** EIP-155 id (default 31337). */
  readonly chainId?: number;
  /** Folder of the state that outlives the process. */
  readonly dataDir: string;
  readonly logFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timers: Pick<Timers, "schedule" | "withTimeout">;
  readonly signal: AbortSignal;
}

/** A chain of the network's own. */
export interface Evm {
  readonly rpcUrl: string;
  readonly process: PartProcess;
}

const GUARD = fileURLToPath(new URL("../../bin/guard.mjs", import.meta.url));
/** What a crash of the machine may take from the chain. */
const SAVE_SECONDS = 30;
/** The program remembers the state of every block; this many are enough for tests. */
const KEPT_STATES = 64;
const DEFAULT_CHAIN_ID = 31_337;

/**
 * Starts the chain, or continues it: a transaction makes a block, and the accounts that everybody knows have ether.
 *
 * @throws TestnetError
 */
export async function startEvm(options: EvmOptions): Promise<Evm> {
  const { port, chainId = DEFAULT_CHAIN_ID, dataDir, logFile, environment, timers, signal } = options;
  const program = anvilPath(process.platform, process.arch);
  if (program === null) {
    const message = `there is no local chain for ${process.platform}-${process.arch}, or it is not installed: run \`npm ci\` again without --omit=optional`;
    throw new TestnetError("TESTNET_CHAIN_NOT_INSTALLED", message);
  }
  await mkdir(dataDir, { recursive: true });
  const args = [
    ...["--host", HOST, "--port", String(port), "--chain-id", String(chainId)],
    ...["--state", join(dataDir, "state.json"), "--state-interval", String(SAVE_SECONDS)],
    ...["--prune-history", String(KEPT_STATES)],
  ];
  const part = await startPart({
    name: "evm",
    file: process.execPath,
    args: [GUARD, program, ...args],
    environment,
    logFile,
    timers,
  });
  try {
    const address = await part.says((line) => /^Listening on (\S+)$/.exec(line.trim())?.[1], signal);
    return { rpcUrl: `http://${address}`, process: part };
  } catch (error) {
    await part.stop();
    throw error;
  }
}
