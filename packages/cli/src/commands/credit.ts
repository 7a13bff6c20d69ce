import { Command } from "commander";
import type { CommandHost } from "../command-host.ts";
import { creditGrantCommand } from "./credit-grant.ts";
import { creditShowCommand } from "./credit-show.ts";
import { creditTransferCommand } from "./credit-transfer.ts";

/** `twentysix credit`: issues, shows and sends credits through a running node. */
export function creditCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("credit").description("Issue, show and send credits through a running node.");
  for (const create of [creditGrantCommand, creditShowCommand, creditTransferCommand]) {
    command.addCommand(create(host, finish));
  }
  return command;
}
