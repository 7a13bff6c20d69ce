import { setFlagsFromString } from "node:v8";

// Patterns come from strangers: only an engine whose time grows with the text alone may run them.
setFlagsFromString("--enable-experimental-regexp-engine");

const MAX_TEXT = 2_048;

/** The last one: a machine is compared with all nodes in a row, and making an expression costs more than using it. */
let last: { readonly pattern: string; readonly expression: RegExp | null } | null = null;

/**
 * Whether an address matches a pattern of Python's syntax from its beginning (`re.match`), in linear time. null: the
 * pattern needs what cannot be matched so (look-around, references back).
 */
export function matchesAddress(pattern: string, address: string): boolean | null {
  if (address.length > MAX_TEXT) return false;
  if (last?.pattern !== pattern) last = { pattern, expression: expressionOf(pattern) };
  return last.expression?.test(address) ?? null;
}

function expressionOf(pattern: string): RegExp | null {
  try {
    return new RegExp(`^(?:${fromPython(pattern)})`, "l");
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function fromPython(pattern: string): string {
  return pattern.replaceAll("(?P<", "(?<").replaceAll("\\Z", "$").replaceAll("\\A", "^");
}
