import { createSystemClock, createSystemTimers } from "@twentysix/platform";
import type { CommandHost } from "./command-host.ts";
import type { NodeModule } from "./node-module.ts";
import { runProgram } from "./program.ts";

/** Runs the command line of this process and ends it with the exit code of the command. */
export async function main(
  args: readonly string[] = process.argv.slice(2),
  loadNode: () => Promise<NodeModule> = loadNodePackage,
): Promise<void> {
  keepWarningsQuiet();
  process.stdout.on("error", tolerateClosedPipe);
  const host: CommandHost = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    workingDir: process.cwd(),
    clock: createSystemClock(),
    timers: createSystemTimers(),
    loadNode,
    loadTestnet: async () => await import("@twentysix/testnet"),
    loadCompute: async () => await import("@twentysix/compute-node"),
    ownCommand: { file: process.execPath, args: [...process.execArgv, process.argv[1] ?? ""] },
    exit: (exitCode) => process.exit(exitCode),
  };
  const exitCode = await runProgram(args, host);
  await flushed(process.stdout);
  process.exit(exitCode);
}

/** Standard output may be a pipe that takes its time: an exit before it is drained would cut the output. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    // A pipe that nobody reads any more calls back with an error: there is nothing left to wait for then.
    stream.write("", () => resolve());
  });
}

/** Whoever reads our output may stop reading (`| head -1`): neither a defect nor a reason for a node to stop. */
function tolerateClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

/**
 * The runtime warns on standard error that parts which this project relies on are experimental. That is our
 * decision and no news to the user; every other warning stays.
 */
function keepWarningsQuiet(): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") process.stderr.write(`${warning.stack ?? warning.message}\n`);
  });
}

async function loadNodePackage(): Promise<NodeModule> {
  return await import("@twentysix/node");
}
