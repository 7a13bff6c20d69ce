import { open } from "node:fs/promises";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import type { OptionKey } from "@twentysix/node/config";
import { Command, Option } from "commander";
import type { CommandHost } from "../command-host.ts";
import { addConfigFlags } from "../config-flags.ts";
import { EXIT } from "../exit-codes.ts";
import { runTask } from "../run-task.ts";

const KEYS: readonly OptionKey[] = ["dataDir", "network", "logLevel", "maxMemoryBytes"];

interface ExportFlags {
  readonly output: string;
  readonly after?: string;
}

/** `twentysix export`: writes the stored messages as NDJSON. */
export function exportCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("export")
    .description("Write all messages of a data folder as NDJSON, one signed envelope a line.")
    .addOption(new Option("--output <FILE>", "file to write, - for standard output").default("-"))
    .addOption(
      new Option(
        "--after <ITEM_HASH>",
        "go on after this message, the last one of an interrupted export (appends to the file)",
      ),
    );
  return addConfigFlags(command, KEYS).action(async (flags: ExportFlags) =>
    finish(
      await runTask(command, KEYS, host, async (node, config, signal) => {
        const report = await node.exportMessages(config, {
          destination: await openDestination(flags, host),
          ...(flags.after === undefined ? {} : { after: flags.after }),
          signal,
        });
        host.stderr.write(`${JSON.stringify(report)}\n`);
        return EXIT.ok;
      }),
    ),
  );
}

/** An export never overwrites a file: one that exists is only appended to, when asked to go on. */
async function openDestination({ output, after }: ExportFlags, host: CommandHost): Promise<Writable> {
  if (output === "-") return host.stdout;
  const file = await open(resolve(host.workingDir, output), after === undefined ? "wx" : "a");
  return file.createWriteStream({ flush: true });
}
