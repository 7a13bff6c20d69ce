import type { Timers } from "@twentysix/platform";
import type { ProductCommand } from "./core-node-process.ts";
import { type PartProcess, startPart } from "./part-process.ts";

export interface NodeProcessOptions {
  readonly name: string;
  readonly command: ProductCommand;
  /** Of `twentysix node`. */
  readonly flags: readonly string[];
  readonly logFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timers: Pick<Timers, "schedule" | "withTimeout">;
  readonly signal: AbortSignal;
}

/** What a node says on standard output once it answers. */
export interface ReadyFacts {
  readonly api: string;
  readonly p2p: readonly string[];
  readonly compute?: { readonly api: string };
  readonly scheduler?: { readonly api: string };
}

/**
 * Starts a node with the command that an operator starts one with, and waits until it answers.
 *
 * @throws TestnetError TESTNET_PART_ENDED
 */
export async function startNodeProcess(
  options: NodeProcessOptions,
): Promise<{ readonly process: PartProcess; readonly facts: ReadyFacts }> {
  const { name, command, flags, environment, logFile, timers, signal } = options;
  const part = await startPart({
    name,
    file: command.file,
    args: [...command.args, "node", ...flags],
    environment,
    logFile,
    timers,
  });
  try {
    return { process: part, facts: await part.says(readyFacts, signal) };
  } catch (error) {
    await part.stop();
    throw error;
  }
}

const READY = "ready ";

const readyFacts = (line: string): ReadyFacts | undefined =>
  line.startsWith(READY) ? (JSON.parse(line.slice(READY.length)) as ReadyFacts) : undefined;
