import { dirname, resolve } from "node:path";
import type { ConfigProblem } from "./config-problem.ts";
import { type PartialConfig, readConfigFile, readEnvironment, readFlags } from "./config-sources.ts";
import type { ConfigSource, NodeConfig } from "./node-config.ts";
import { CONFIG_FILE_OPTION, environmentNameOf, OPTION_KEYS, OPTIONS, type OptionKey } from "./options.ts";

export interface ConfigInputs {
  /** Flags that were given, by name without the hyphens in front; `config` names the config file. */
  readonly flags: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where relative paths start from, except those in the config file (they start from its folder). */
  readonly workingDir: string;
  /** Reads a whole text file; rejects with the system's error. */
  readonly readTextFile: (file: string) => Promise<string>;
}

export type ConfigOutcome =
  | {
      readonly ok: true;
      readonly config: NodeConfig;
      readonly sources: Readonly<Record<OptionKey, ConfigSource>>;
    }
  | { readonly ok: false; readonly problem: ConfigProblem };

/** The settings of a node: flags override the environment, which overrides the config file. */
export async function resolveConfig(inputs: ConfigInputs): Promise<ConfigOutcome> {
  const context = { baseDir: inputs.workingDir, environment: inputs.environment };
  const { [CONFIG_FILE_OPTION.name]: fileFlag, ...flags } = inputs.flags;
  const fromFlags = readFlags(flags, context);
  if (!fromFlags.ok) return fromFlags;
  const fromEnvironment = readEnvironment(inputs.environment, context);
  if (!fromEnvironment.ok) return fromEnvironment;
  const fromFile = await readFileSource(
    fileFlag ?? inputs.environment[environmentNameOf(CONFIG_FILE_OPTION)],
    inputs,
  );
  if (!fromFile.ok) return fromFile;
  return merge(
    [
      ["flag", fromFlags.values],
      ["environment", fromEnvironment.values],
      ["file", fromFile.values],
    ],
    inputs.workingDir,
  );
}

async function readFileSource(
  file: string | undefined,
  { workingDir, readTextFile, environment }: ConfigInputs,
): Promise<ReturnType<typeof readConfigFile>> {
  if (file === undefined) return { ok: true, values: new Map() };
  const absolutePath = resolve(workingDir, file);
  let text: string;
  try {
    text = await readTextFile(absolutePath);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      problem: { message: `config file ${JSON.stringify(file)} cannot be read: ${reason}` },
    };
  }
  return readConfigFile(file, text, { baseDir: dirname(absolutePath), environment });
}

function merge(
  layers: readonly (readonly [ConfigSource, PartialConfig])[],
  workingDir: string,
): ConfigOutcome {
  const config: Partial<Record<OptionKey, unknown>> = {};
  const sources: Partial<Record<OptionKey, ConfigSource>> = {};
  for (const key of OPTION_KEYS) {
    const layer = layers.find(([, values]) => values.has(key));
    config[key] = layer === undefined ? defaultOf(key, workingDir) : layer[1].get(key);
    sources[key] = layer === undefined ? "default" : layer[0];
  }
  // Every key has just been set, each with the value that its own kind gave.
  return { ok: true, config: config as NodeConfig, sources: sources as Record<OptionKey, ConfigSource> };
}

function defaultOf(key: OptionKey, workingDir: string): unknown {
  const { defaultText, kind, name } = OPTIONS[key];
  const outcome = kind.parseText(defaultText, { baseDir: workingDir });
  if (!outcome.ok) throw new Error(`the default of ${name} is not valid: expected ${outcome.expected}`);
  return outcome.value;
}

/** The settings that a node has when nothing is set, for tests and tools; `overrides` replace some of them. */
export function defaultConfig(workingDir: string, overrides: Partial<NodeConfig> = {}): NodeConfig {
  const defaults = Object.fromEntries(OPTION_KEYS.map((key) => [key, defaultOf(key, workingDir)]));
  return { ...(defaults as unknown as NodeConfig), ...overrides };
}
