import { type FileHandle, open } from "node:fs/promises";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import type { OptionKey } from "@twentysix/node/config";
import { Command, Option } from "commander";
import type { CommandHost } from "../command-host.ts";
import { addConfigFlags } from "../config-flags.ts";
import { EXIT } from "../exit-codes.ts";
import { runTask } from "../run-task.ts";

const KEYS: readonly OptionKey[] = ["dataDir", "blobs", "database", "network", "logLevel", "maxMemoryBytes"];

interface ExportFlags {
  readonly output: string;
  readonly after?: string;
  readonly files: boolean;
}

/** `twentysix export`: writes the stored messages as NDJSON. */
export function exportCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("export")
    .description(
      "Write all messages of a data folder as NDJSON, one signed envelope a line, with the files that they name and what is left of forgotten ones in lines of their own. Prints a JSON report on standard error.",
    )
    .addOption(new Option("--output <FILE>", "file to write, - for standard output").default("-"))
    .addOption(
      new Option(
        "--after <ITEM_HASH>",
        "go on after this message, the last one of an interrupted export (appends to the file)",
      ),
    )
    .addOption(new Option("--no-files", "leave the files out"));
  return addConfigFlags(command, KEYS).action(async (flags: ExportFlags) =>
    finish(
      await runTask(command, KEYS, host, async (node, config, signal) => {
        const report = await node.exportMessages(config, {
          destination: await openDestination(flags, host),
          ...(flags.after === undefined ? {} : { after: flags.after }),
          withFiles: flags.files,
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
  const path = resolve(host.workingDir, output);
  if (after === undefined) return (await open(path, "wx")).createWriteStream({ flush: true });
  const file = await open(path, "a+");
  if (!(await endsWithLine(file))) await file.write("\n");
  return file.createWriteStream({ flush: true });
}

/** An export that was killed may have left a part of a line, which must not swallow the next one. */
async function endsWithLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}
