import type { OptionKey } from "@twentysix/node/config";
import { Command } from "commander";
import type { CommandHost } from "../command-host.ts";
import { addConfigFlags } from "../config-flags.ts";
import { EXIT } from "../exit-codes.ts";
import { runTask } from "../run-task.ts";

const KEYS: readonly OptionKey[] = ["dataDir", "blobs", "database", "network", "logLevel", "maxMemoryBytes"];

/** `twentysix verify`: computes the state anew from the stored messages and compares it with the stored one. */
export function verifyCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("verify").description(
    "Check a data folder: compute the whole state again from the stored messages and compare. The node must be stopped. Prints a JSON report; exit code 1 when something differs.",
  );
  return addConfigFlags(command, KEYS).action(async () =>
    finish(
      await runTask(command, KEYS, host, async (node, config, signal) => {
        const report = await node.verifyDataDir(config, { signal });
        host.stdout.write(`${JSON.stringify(report)}\n`);
        return report.ok ? EXIT.ok : EXIT.failed;
      }),
    ),
  );
}
