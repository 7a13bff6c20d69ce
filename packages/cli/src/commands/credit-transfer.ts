import { Command, Option } from "commander";
import type { CommandHost } from "../command-host.ts";
import { addCreditFlags, addRecipient, CREDIT_KEYS } from "../credit/credit-flags.ts";
import { parseExpiry } from "../credit/parse-credit-values.ts";
import type { TransferFlags } from "../credit/transfer.ts";
import { runConfigured } from "../run-task.ts";

/** `twentysix credit transfer`: sends credits that one has. */
export function creditTransferCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = addRecipient(new Command("transfer"))
    .description(
      "Send credits. Who sends is said by --key-file, or by --from with the role of a development account. Prints a JSON report.",
    )
    .addOption(new Option("--from <ROLE>", "a development account of the network, such as alice"))
    .addOption(
      new Option(
        "--key-file <FILE>",
        "private key of the sender, 64 hexadecimal digits, of mode 0600",
      ).conflicts("from"),
    )
    .addOption(
      new Option(
        "--expires <WHEN>",
        "when they end at the recipient: 30d, 12h or a date; with the sender's own by default",
      ).argParser(parseExpiry),
    )
    .addOption(
      new Option("--nonce <TEXT>", "repeated with the same nonce, nothing is sent again (default random)"),
    );
  return addCreditFlags(command).action(async (address: string, amount: bigint, flags: TransferFlags) =>
    finish(
      await runConfigured(command, CREDIT_KEYS, host, async (config, signal) => {
        const { transfer } = await import("../credit/transfer.ts");
        return await transfer({ config, host, signal, address, amount }, flags);
      }),
    ),
  );
}
