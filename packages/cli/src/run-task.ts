import type { NodeConfig, OptionKey } from "@twentysix/node/config";
import { listenForShutdown } from "@twentysix/platform";
import type { Command } from "commander";
import { type CommandHost, codedMessage, exitCodeOf } from "./command-host.ts";
import { configOf } from "./config-flags.ts";
import { EXIT, exitCodeOfSignal } from "./exit-codes.ts";
import type { NodeModule } from "./node-module.ts";

/** What a command that does one thing and ends does with a complete configuration; gives the exit code. */
export type Task = (node: NodeModule, config: NodeConfig, signal: AbortSignal) => Promise<number>;

/** Runs a task on a node's data. */
export function runTask(
  command: Command,
  keys: readonly OptionKey[],
  host: CommandHost,
  task: Task,
): Promise<number> {
  return runConfigured(command, keys, host, async (config, signal) =>
    task(await host.loadNode(), config, signal),
  );
}

/** Runs what needs a configuration: bad settings end it with one line and code 2, coded failures with one line and code 1. */
export async function runConfigured(
  command: Command,
  keys: readonly OptionKey[],
  host: CommandHost,
  work: (config: NodeConfig, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const outcome = await configOf(command, keys, host);
  if (!outcome.ok) {
    host.stderr.write(`twentysix: ${outcome.problem.message}\n`);
    return EXIT.usage;
  }
  const controller = new AbortController();
  let interruptedCode: number | undefined;
  const stopListening = listenForShutdown(
    {
      onFirst(signal) {
        interruptedCode = exitCodeOfSignal(signal);
        controller.abort();
      },
      onSecond: (signal) => host.exit(exitCodeOfSignal(signal)),
    },
    host.clock,
  );
  try {
    const exitCode = await work(outcome.config, controller.signal);
    return interruptedCode ?? exitCode;
  } catch (error) {
    if (interruptedCode !== undefined && controller.signal.aborted) return interruptedCode;
    const message = codedMessage(error);
    if (message === undefined) throw error;
    host.stderr.write(`twentysix ${nameOf(command)}: ${message}\n`);
    return exitCodeOf(error);
  } finally {
    stopListening();
  }
}

/** `credit grant`: with the commands that it is one of. */
function nameOf(command: Command): string {
  const { parent } = command;
  return parent === null || parent.parent === null ? command.name() : `${nameOf(parent)} ${command.name()}`;
}
