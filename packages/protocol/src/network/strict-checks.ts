import { list } from "../content/composite-checks.ts";
import { integer, string } from "../content/scalar-checks.ts";
import { type Check, INVALID } from "../content/validation.ts";

/*
 * Checks of a network definition. A file that people write must be exact: no coercions, nothing absent by
 * accident.
 */

/** A text that is not empty. */
export const text = string({ min: 1 });
/** A fraction that money is made of: a decimal text, never a float. */
export const decimal = string({ pattern: /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/ });
export const count = integer({ min: 0, max: Number.MAX_SAFE_INTEGER, strict: true });
export const positive = integer({ min: 1, max: Number.MAX_SAFE_INTEGER, strict: true });
/** Unix seconds, whole. */
export const seconds = count;

export const strictFlag: Check<boolean> = (value, at) =>
  typeof value === "boolean" ? value : at.fail("bool_type", "Input should be true or false", value);

/** A list without repetitions. */
export function set(check: Check<string>): Check<readonly string[]> {
  const items = list(check);
  return (value, at) => {
    const result = items(value, at);
    if (result === INVALID || new Set(result).size === result.length) return result;
    return at.fail("value_error", "Value error, an entry is listed twice");
  };
}
