import { nearestName } from "./nearest-name.ts";

/** Why settings were refused: one line that names the setting, what is wrong and what would be right. */
export interface ConfigProblem {
  readonly message: string;
}

/** How much of a bad value is repeated to the user. */
const SHOWN_VALUE_LENGTH = 60;

export function badValue(where: string, value: unknown, expected: string): ConfigProblem {
  // Whoever put a password into a URL by mistake does not want it in a log as well.
  const shown = (JSON.stringify(value) ?? String(value)).replaceAll(/\/\/[^/@]*@/g, "//...@");
  const text = shown.slice(0, SHOWN_VALUE_LENGTH);
  return { message: `${where}: expected ${expected}; got ${text}` };
}

export function unknownName(where: string, name: string, known: readonly string[]): ConfigProblem {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? "see --help for all settings" : `did you mean ${nearest}?`;
  return { message: `${where}: unknown setting ${JSON.stringify(name)}; ${hint}` };
}
