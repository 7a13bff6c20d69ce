import { readFile } from "node:fs/promises";
import {
  CONFIG_FILE_OPTION,
  type ConfigOutcome,
  environmentNameOf,
  fileKeyOf,
  flagOf,
  OPTIONS,
  type OptionKey,
  resolveConfig,
} from "@twentysix/node/config";
import { type Command, Option } from "commander";
import type { CommandHost } from "./command-host.ts";

/** Gives a command the flags of these settings, and the one that names the config file. */
export function addConfigFlags(command: Command, keys: readonly OptionKey[]): Command {
  for (const key of keys) {
    const option = OPTIONS[key];
    const fallback = option.defaultText === "" ? "" : ` (default ${option.defaultText})`;
    command.addOption(
      new Option(`${flagOf(option)} <${option.kind.placeholder}>`, `${option.help}${fallback}`),
    );
  }
  const { placeholder, help } = CONFIG_FILE_OPTION;
  return command
    .addOption(new Option(`${flagOf(CONFIG_FILE_OPTION)} <${placeholder}>`, help))
    .addHelpText(
      "after",
      `\nEvery flag is also an environment variable (${environmentNameOf(OPTIONS.dataDir)}) and a key of the config file (${fileKeyOf(OPTIONS.dataDir)}).`,
    );
}

/** The settings from the flags of a parsed command, the environment and the config file. */
export function configOf(
  command: Command,
  keys: readonly OptionKey[],
  host: CommandHost,
): Promise<ConfigOutcome> {
  const flags: Record<string, string> = {};
  for (const { name } of [...keys.map((key) => OPTIONS[key]), CONFIG_FILE_OPTION]) {
    const value: unknown = command.getOptionValue(fileKeyOf({ name }));
    if (typeof value === "string") flags[name] = value;
  }
  return resolveConfig({
    flags,
    environment: host.environment,
    workingDir: host.workingDir,
    readTextFile: (file) => readFile(file, "utf8"),
  });
}
