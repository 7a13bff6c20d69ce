import { OPTION_KEYS } from "@twentysix/node/config";
import { Command } from "commander";
import type { CommandHost } from "../command-host.ts";
import { addConfigFlags, configOf } from "../config-flags.ts";
import { EXIT } from "../exit-codes.ts";
import { runNode } from "../run-node.ts";

/** `twentysix node`: runs a node until it is told to stop. */
export function nodeCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("node").description(
    'Run a node. Prints `ready {"api": ...}` on standard output when it answers; logs go to standard error.',
  );
  return addConfigFlags(command, OPTION_KEYS).action(async () => {
    const outcome = await configOf(command, OPTION_KEYS, host);
    if (!outcome.ok) {
      host.stderr.write(`twentysix: ${outcome.problem.message}\n`);
      return finish(EXIT.usage);
    }
    finish(await runNode(outcome.config, host));
  });
}
