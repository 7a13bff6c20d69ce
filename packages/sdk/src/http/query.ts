import { invalidInput } from "../errors.ts";

type QueryValue = string | number | boolean | readonly string[] | undefined;

/**
 * Query parameters; undefined ones are left out and lists are joined with commas, as nodes read them.
 *
 * Error: SDK_INVALID_INPUT for an empty list (nodes take it for a list of one empty text) and for a value with a
 * comma (nodes have no escape for it).
 */
export function buildQuery(values: { readonly [parameter: string]: QueryValue }): URLSearchParams {
  const query = new URLSearchParams();
  for (const [parameter, value] of Object.entries(values)) {
    if (value === undefined) continue;
    query.set(parameter, typeof value === "object" ? joinList(parameter, value) : String(value));
  }
  return query;
}

function joinList(parameter: string, values: readonly string[]): string {
  if (values.length === 0) {
    throw invalidInput(parameter, `"${parameter}" is an empty list; leave it out to match everything`);
  }
  const unsendable = values.find((value) => value.includes(","));
  if (unsendable !== undefined) {
    throw invalidInput(parameter, `"${unsendable}" of "${parameter}" has a comma, which separates values`);
  }
  return values.join(",");
}
