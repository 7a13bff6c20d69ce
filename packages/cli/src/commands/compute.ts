import { Command } from "commander";
import type { CommandHost } from "../command-host.ts";
import { computeHelperCommand } from "./compute-helper.ts";
import { computeInspectCommand } from "./compute-inspect.ts";

/** `twentysix compute`: the part of a compute node that starts its machines. */
export function computeCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("compute").description("Start and look after the machines of a compute node.");
  for (const create of [computeHelperCommand, computeInspectCommand]) {
    command.addCommand(create(host, finish));
  }
  return command;
}
