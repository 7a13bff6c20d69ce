import type { JsonValue } from "./json-value.ts";
import { isPlainJsonText } from "./plain-scan.ts";
import { parseStrictJson } from "./strict-parser.ts";

export type JsonParseResult =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly reason: string; readonly offset?: number };

/**
 * Decodes a JSON text exactly as the network does; two nodes that disagree here drift apart.
 *
 * RFC 8259 and nothing more: a byte order mark, `NaN`, leading zeros, trailing commas, unescaped control
 * characters, lone surrogates, numbers that overflow a double, and more than 1024 nested levels are refused. Of
 * duplicate keys the last one wins. Integers from -2^63 to 2^64-1 are exact (number when safe, else bigint),
 * larger ones become doubles. `offset` is where reading stopped, in UTF-16 units.
 *
 * Source: pyaleph `src/aleph/toolkit/json.py`.
 */
export function parseJson(text: string): JsonParseResult {
  if (isPlainJsonText(text)) {
    try {
      return { ok: true, value: JSON.parse(text) as JsonValue };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // Bad for both parsers; the strict one says where.
    }
  }
  return parseStrictJson(text);
}
