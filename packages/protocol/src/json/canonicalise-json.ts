import { compareCodePoints } from "./code-point-order.ts";
import { parseJson } from "./parse-json.ts";
import { decodeStringToken, endOfScalar, endOfString, skipSpace } from "./raw-scan.ts";

export type CanonicaliseResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string; readonly offset?: number };

/**
 * Rewrites a JSON text with sorted keys (by code point, at every level), no spaces, the last of duplicate keys
 * and the shortest escapes. Number tokens stay as they are written, so no digit is lost.
 */
export function canonicaliseJsonText(text: string): CanonicaliseResult {
  const parsed = parseJson(text);
  return parsed.ok ? { ok: true, text: new Canonicaliser(text).value() } : parsed;
}

/** One pass over a valid text. Concatenation builds ropes, so deep nesting does not copy a value once a level. */
class Canonicaliser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): string {
    this.#position = skipSpace(this.#text, this.#position);
    switch (this.#text[this.#position]) {
      case "{":
        return this.#object();
      case "[":
        return this.#array();
      case '"':
        return quote(this.#string());
      default: {
        const start = this.#position;
        this.#position = endOfScalar(this.#text, start);
        return this.#text.slice(start, this.#position);
      }
    }
  }

  #object(): string {
    const members = new Map<string, string>();
    while (this.#nextIs('"')) {
      const key = this.#string();
      this.#position = this.#text.indexOf(":", this.#position) + 1;
      members.set(key, this.value());
    }
    this.#position += 1;
    let result = "{";
    for (const key of [...members.keys()].sort(compareCodePoints)) {
      if (result !== "{") result += ",";
      result += `${quote(key)}:`;
      result += members.get(key) ?? "";
    }
    return `${result}}`;
  }

  #array(): string {
    let result = "[";
    while (!this.#nextIs("]")) {
      if (result !== "[") result += ",";
      result += this.value();
    }
    this.#position += 1;
    return `${result}]`;
  }

  /** Steps over the opening bracket or the comma before an item, and says whether `character` comes next. */
  #nextIs(character: string): boolean {
    let next = skipSpace(this.#text, this.#position);
    if (/[[{,]/.test(this.#text[next] ?? "")) next = skipSpace(this.#text, next + 1);
    this.#position = next;
    return this.#text[next] === character;
  }

  #string(): string {
    const start = this.#position;
    this.#position = endOfString(this.#text, start);
    return decodeStringToken(this.#text.slice(start, this.#position));
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}
