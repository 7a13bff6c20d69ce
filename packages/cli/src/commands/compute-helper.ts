import { createPinoLogger, listenForShutdown } from "@twentysix/platform";
import { Command } from "commander";
import { type CommandHost, codedMessage, exitCodeOf } from "../command-host.ts";
import { EXIT, exitCodeOfSignal } from "../exit-codes.ts";
import { addHelperFlags, helperSettings } from "./compute-settings.ts";

/** `twentysix compute helper`: the host helper of a compute node, until it is told to stop; machines go on. */
export function computeHelperCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("helper").description(
    "Run the host helper of a compute node: it starts machines, gives them networks and limits where it is root, and ends them when nobody renews their lease. A node starts it by itself; run it as a service of root to give machines networks of their own.",
  );
  return addHelperFlags(command).action(async () => finish(await run(command, host)));
}

async function run(command: Command, host: CommandHost): Promise<number> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const closing = new AbortController();
  const stopListening = listenForShutdown(
    {
      onFirst: () => {
        closing.abort();
        stop();
      },
      onSecond: (signal) => host.exit(exitCodeOfSignal(signal)),
    },
    host.clock,
  );
  try {
    const compute = await host.loadCompute();
    const settings = helperSettings(command, host, compute.defaultHelperSettings);
    const { clock, timers } = host;
    const log = createPinoLogger({ level: "info" });
    await using helper = await compute.runHelper(settings, { clock, timers, log }, closing.signal);
    await Promise.race([stopped, helper.idle]);
    return EXIT.ok;
  } catch (error) {
    if (closing.signal.aborted) return EXIT.ok;
    const message = codedMessage(error);
    if (message === undefined) throw error;
    host.stderr.write(`twentysix compute helper: ${message}\n`);
    return exitCodeOf(error);
  } finally {
    stopListening();
  }
}
