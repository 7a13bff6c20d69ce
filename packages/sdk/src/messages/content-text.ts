import { type JsonObject, parseJson, stringifyJson } from "@twentysix/protocol";
import { invalidInput } from "../errors.ts";

const PERCENT_BEFORE_HEX = /%(?=[0-9a-fA-F]{2})/g;

/**
 * The exact text that is hashed and signed: compact JSON, in which a `%` before two hexadecimal digits is
 * written as an escape, because reference nodes URL-decode what they receive from their peers.
 *
 * Error: SDK_INVALID_INPUT for a content that every node refuses: a NUL character or a lone surrogate in a text,
 * a number that JSON does not have, more than 1024 levels.
 */
export function contentText(content: JsonObject): string {
  const text = jsonText(content).replace(PERCENT_BEFORE_HEX, "\\u0025");
  // Nodes look for these six characters in the raw text, also behind an escaped backslash.
  if (text.includes("\\u0000")) {
    throw invalidInput(
      "content",
      "the content holds a NUL character (\\u0000), which nodes refuse; take it out",
    );
  }
  const parsed = parseJson(text);
  if (!parsed.ok) throw invalidInput("content", `nodes refuse the content (${parsed.reason}); correct it`);
  return text;
}

function jsonText(content: JsonObject): string {
  try {
    return stringifyJson(content);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidInput("content", `the content has no JSON form: ${error.message}`);
  }
}
