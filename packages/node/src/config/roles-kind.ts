import { type OptionKind, type Parsed, parsed } from "./option-kind.ts";

/**
 * What a process does: keep messages and files (`ccn`), run functions and instances (`crn`), decide which compute node
 * runs what (`scheduler`), publish what an authority of the network says, or serve what a node with the same database
 * server writes (`api`).
 */
export const ROLES = ["ccn", "crn", "scheduler", "authority", "api"] as const;
export type Role = (typeof ROLES)[number];

/** Roles, separated by commas in a flag or variable, a list of texts in the config file. */
export function roles(): OptionKind<readonly Role[]> {
  const describe =
    "roles separated by commas, of ccn, crn, scheduler, and beside ccn authority; or api alone";
  const check = (items: readonly unknown[]): Parsed<readonly Role[]> => {
    const known = items.flatMap((item) => ROLES.filter((role) => role === item));
    const isDistinct = new Set(known).size === items.length;
    const isApart = known.includes("api")
      ? known.length === 1
      : known.length > 0 && (known.includes("ccn") || !known.includes("authority"));
    return isDistinct && isApart ? parsed(known) : { ok: false, expected: describe };
  };
  return {
    placeholder: "LIST",
    describe: `${describe} (a list of texts in the config file)`,
    parseText: (text) => check(text.split(",").map((item) => item.trim())),
    parseJson: (value) =>
      Array.isArray(value) ? check(value) : { ok: false, expected: `a list of ${describe}` },
  };
}
