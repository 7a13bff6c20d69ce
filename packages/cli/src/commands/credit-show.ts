import { Argument, Command } from "commander";
import type { CommandHost } from "../command-host.ts";
import { addCreditFlags, CREDIT_KEYS, type CreditFlags } from "../credit/credit-flags.ts";
import { runConfigured } from "../run-task.ts";

/** `twentysix credit show`: what an address has. */
export function creditShowCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("show")
    .description("Show the credits and tokens of an address. Prints a JSON report.")
    .addArgument(new Argument("<address>", "an address, or the role of a development account"));
  return addCreditFlags(command).action(async (address: string, flags: CreditFlags) =>
    finish(
      await runConfigured(command, CREDIT_KEYS, host, async (config, signal) => {
        const { show } = await import("../credit/show.ts");
        return await show({ config, host, signal, address }, flags);
      }),
    ),
  );
}
