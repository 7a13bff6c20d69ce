import { Command } from "commander";
import type { CommandHost } from "../command-host.ts";
import { imageBuildCommand } from "./image-build.ts";

/** `twentysix image`: what virtual machines boot. */
export function imageCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("image").description("Make what functions and instances boot.");
  return command.addCommand(imageBuildCommand(host, finish));
}
