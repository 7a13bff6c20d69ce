import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { CommandHost } from "../command-host.ts";
import { runUp } from "../up/run-up.ts";
import { type UpSettings, upProblem } from "../up/up-settings.ts";

/** `twentysix up`: a whole network on this machine, until it is told to stop. */
export function upCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("up");
  return command
    .description(
      "Run a whole private network on this machine: core nodes, each a process of its own, a local chain and accounts with funds. Stays in the foreground; ends all of it on Ctrl-C.",
    )
    .addOption(new Option("--core <N>", "how many core nodes").argParser(wholeNumber).default(3))
    .addOption(
      new Option(
        "--compute <N>",
        "how many compute nodes, which run functions and instances; with them come a scheduler and images",
      )
        .argParser(wholeNumber)
        .default(0),
    )
    .addOption(
      new Option("--data-dir <DIR>", "folder of the data of all; run again over it, the network goes on")
        .argParser((text) => resolve(host.workingDir, text))
        .default(resolve(host.workingDir, "testnet"), "./testnet"),
    )
    .addOption(
      new Option(
        "--images-dir <DIR>",
        "folder in which images of machines are built once, for every network (default: the cache of this user)",
      ).argParser((text) => resolve(host.workingDir, text)),
    )
    .addOption(
      new Option(
        "--base-port <PORT>",
        "the first node's API, and from it on two ports a core node, one for the chain, one for the faucet, and one for each compute node and their scheduler",
      )
        .argParser(wholeNumber)
        .default(4100),
    )
    .addOption(
      new Option(
        "--durability <CLASS>",
        "which nodes keep a file: everyone, copies:R for R of them, or erasure:K/N for N shards of which any K give the file",
      ).default("everyone"),
    )
    .addOption(new Option("--log-level <LEVEL>", "what the nodes write into DIR/logs").default("warn"))
    .addOption(
      new Option("--json", "print one line of JSON when all is ready, instead of a table").default(false),
    )
    .action(async (settings: UpSettings) => {
      const problem = upProblem(settings);
      if (problem !== null) command.error(`error: ${problem}`);
      finish(await runUp(settings, host));
    });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It is no whole number.");
  return Number(text);
}
