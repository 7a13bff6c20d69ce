import type { OptionKey } from "@twentysix/node/config";
import { Argument, type Command, Option } from "commander";
import { addConfigFlags } from "../config-flags.ts";
import { parseCredits } from "./parse-credit-values.ts";

/** The settings of a node that these commands look at. */
export const CREDIT_KEYS: readonly OptionKey[] = ["network", "apiHost", "apiPort"];

export interface CreditFlags {
  readonly node?: string;
}

/** What the commands about credits have in common. */
export function addCreditFlags(command: Command): Command {
  return addConfigFlags(
    command.addOption(
      new Option("--node <URL>", "API of the node (default that of --api-host and --api-port)"),
    ),
    CREDIT_KEYS,
  );
}

/** Who gets how much. */
export function addRecipient(command: Command): Command {
  return command
    .addArgument(new Argument("<address>", "who gets them: an address, or the role of a development account"))
    .addArgument(new Argument("<amount>", "whole credits, a million to the dollar").argParser(parseCredits));
}
