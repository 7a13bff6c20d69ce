import { Command, Option } from "commander";
import type { CommandHost } from "../command-host.ts";
import { addCreditFlags, addRecipient, CREDIT_KEYS } from "../credit/credit-flags.ts";
import type { GrantFlags } from "../credit/grant.ts";
import { parseExpiry } from "../credit/parse-credit-values.ts";
import { runConfigured } from "../run-task.ts";

/** `twentysix credit grant`: an authority issues credits. */
export function creditGrantCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = addRecipient(new Command("grant"))
    .description(
      "Issue credits as the network's authority. Its key is that of a development account of the network, or of a key file. Prints a JSON report.",
    )
    .addOption(
      new Option("--expires <WHEN>", "when they end: 30d, 12h or a date; never by default").argParser(
        parseExpiry,
      ),
    )
    .addOption(
      new Option("--key-file <FILE>", "private key of the authority, 64 hexadecimal digits, of mode 0600"),
    )
    .addOption(
      new Option("--nonce <TEXT>", "repeated with the same nonce, nothing is granted again (default random)"),
    );
  return addCreditFlags(command).action(async (address: string, amount: bigint, flags: GrantFlags) =>
    finish(
      await runConfigured(command, CREDIT_KEYS, host, async (config, signal) => {
        const { grant } = await import("../credit/grant.ts");
        return await grant({ config, host, signal, address, amount }, flags);
      }),
    ),
  );
}
