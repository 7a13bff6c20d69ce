import { open } from "node:fs/promises";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import type { OptionKey } from "@twentysix/node/config";
import { Command, InvalidArgumentError, Option } from "commander";
import type { CommandHost } from "../command-host.ts";
import { addConfigFlags } from "../config-flags.ts";
import { EXIT } from "../exit-codes.ts";
import { runTask } from "../run-task.ts";

const KEYS: readonly OptionKey[] = [
  "dataDir",
  "blobs",
  "database",
  "network",
  "logLevel",
  "maxDiskBytes",
  "maxMemoryBytes",
];

interface ImportFlags {
  readonly input: string;
  readonly skipLines: number;
  readonly trustForgotten: boolean;
}

/** `twentysix import`: takes messages from NDJSON, each checked as if it had come from the network. */
export function importCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("import")
    .description(
      "Take messages from NDJSON into a data folder. Every signature and hash is checked; messages already known are passed over. Prints a JSON report.",
    )
    .addOption(new Option("--input <FILE>", "file to read, - for standard input").default("-"))
    .addOption(
      new Option("--skip-lines <N>", "lines to pass over at the start, done by an interrupted import")
        .argParser(parseLineCount)
        .default(0),
    )
    .addOption(
      new Option(
        "--trust-forgotten",
        "take forgotten messages on the word of the file: nobody can check all that is left of them",
      ).default(false),
    );
  return addConfigFlags(command, KEYS).action(async (flags: ImportFlags) =>
    finish(
      await runTask(command, KEYS, host, async (node, config, signal) => {
        const source = await openSource(flags, host);
        const { skipLines, trustForgotten } = flags;
        const report = await node.importMessages(config, { source, skipLines, trustForgotten, signal });
        host.stdout.write(`${JSON.stringify(report)}\n`);
        return EXIT.ok;
      }),
    ),
  );
}

async function openSource({ input }: ImportFlags, host: CommandHost): Promise<Readable> {
  if (input === "-") return host.stdin;
  const file = await open(resolve(host.workingDir, input), "r");
  return file.createReadStream();
}

function parseLineCount(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("expected a whole number");
  return Number(text);
}
