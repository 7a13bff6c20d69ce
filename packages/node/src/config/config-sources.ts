import { badValue, type ConfigProblem, unknownName } from "./config-problem.ts";
import type { ParseContext, Parsed } from "./option-kind.ts";
import {
  CONFIG_FILE_OPTION,
  ENVIRONMENT_PREFIX,
  environmentNameOf,
  fileKeyOf,
  flagOf,
  OPTION_KEYS,
  OPTIONS,
  type OptionKey,
} from "./options.ts";

/** The values that one source gives; settings that it does not mention are absent. */
export type PartialConfig = ReadonlyMap<OptionKey, unknown>;

export type SourceOutcome =
  | { readonly ok: true; readonly values: PartialConfig }
  | { readonly ok: false; readonly problem: ConfigProblem };

/** Variables with these beginnings belong to the project's own tests, fuzzers and benchmarks. */
const DEVELOPMENT_PREFIXES = ["TWENTYSIX_FUZZ_", "TWENTYSIX_BENCH_", "TWENTYSIX_TEST_"];

/** Settings given as flags, by their flag's name without hyphens in front: `{"api-port": "0"}`. */
export function readFlags(flags: Readonly<Record<string, string>>, context: ParseContext): SourceOutcome {
  const keyByName = new Map(OPTION_KEYS.map((key) => [OPTIONS[key].name as string, key]));
  return readEntries(Object.entries(flags), keyByName, (name) => flagOf({ name }), parseText(context));
}

/** Settings given as environment variables. Any other variable with the project's prefix is a mistake. */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  context: ParseContext,
): SourceOutcome {
  const keyByName = new Map(OPTION_KEYS.map((key) => [environmentNameOf(OPTIONS[key]), key]));
  const entries = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      entry[0].startsWith(ENVIRONMENT_PREFIX) &&
      entry[0] !== environmentNameOf(CONFIG_FILE_OPTION) &&
      !DEVELOPMENT_PREFIXES.some((prefix) => entry[0].startsWith(prefix)),
  );
  return readEntries(entries, keyByName, (name) => name, parseText(context), "environment");
}

/** Settings in the text of a config file: one JSON object. */
export function readConfigFile(file: string, text: string, context: ParseContext): SourceOutcome {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message.replaceAll(/\s+/g, " ") : String(error);
    return { ok: false, problem: { message: `${file}: is not valid JSON: ${reason}` } };
  }
  if (typeof root !== "object" || root === null || Array.isArray(root)) {
    return { ok: false, problem: badValue(file, root, "one JSON object of settings") };
  }
  const keyByName = new Map(OPTION_KEYS.map((key) => [fileKeyOf(OPTIONS[key]), key]));
  const parse = (key: OptionKey, value: unknown): Parsed<unknown> =>
    OPTIONS[key].kind.parseJson(value, context);
  return readEntries(Object.entries(root), keyByName, (name) => `${file}: ${name}`, parse, file);
}

function parseText(context: ParseContext): (key: OptionKey, value: string) => Parsed<unknown> {
  return (key, value) => OPTIONS[key].kind.parseText(value, context);
}

function readEntries<V>(
  entries: readonly (readonly [string, V])[],
  keyByName: ReadonlyMap<string, OptionKey>,
  placeOf: (name: string) => string,
  parse: (key: OptionKey, value: V) => Parsed<unknown>,
  sourceName = "command line",
): SourceOutcome {
  const values = new Map<OptionKey, unknown>();
  for (const [name, value] of entries) {
    const key = keyByName.get(name);
    if (key === undefined) {
      return { ok: false, problem: unknownName(sourceName, name, [...keyByName.keys()]) };
    }
    const outcome = parse(key, value);
    if (!outcome.ok) return { ok: false, problem: badValue(placeOf(name), value, outcome.expected) };
    values.set(key, outcome.value);
  }
  return { ok: true, values };
}
