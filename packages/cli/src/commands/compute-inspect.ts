import { createPinoLogger } from "@twentysix/platform";
import { Command } from "commander";
import { type CommandHost, codedMessage, exitCodeOf } from "../command-host.ts";
import { EXIT } from "../exit-codes.ts";
import { addHelperFlags, helperSettings } from "./compute-settings.ts";

const TIMEOUT_MS = 60_000;

/** `twentysix compute inspect`: what machines of a compute node have on its host, and what was left behind. */
export function computeInspectCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("inspect").description(
    "List the processes, devices, rules, control groups and folders of a compute node's machines. Prints a JSON object; exit code 1 when something belongs to no machine that runs.",
  );
  return addHelperFlags(command).action(async () => finish(await inspect(command, host)));
}

async function inspect(command: Command, host: CommandHost): Promise<number> {
  try {
    const compute = await host.loadCompute();
    const settings = helperSettings(command, host, compute.defaultHelperSettings);
    const { clock, timers } = host;
    const log = createPinoLogger({ level: "warn" });
    const inventory = await compute.inspectHost(
      settings,
      { clock, timers, log },
      AbortSignal.timeout(TIMEOUT_MS),
    );
    host.stdout.write(`${JSON.stringify(inventory)}\n`);
    return inventory.orphans.length === 0 ? EXIT.ok : EXIT.failed;
  } catch (error) {
    const message = codedMessage(error);
    if (message === undefined) throw error;
    host.stderr.write(`twentysix compute inspect: ${message}\n`);
    return exitCodeOf(error);
  }
}
