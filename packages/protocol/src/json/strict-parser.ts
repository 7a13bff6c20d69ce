import { type JsonValue, markFloat, setMember, unmarkFloat } from "./json-value.ts";

/** Levels of arrays and objects that a text may nest. Source: the decoder behind pyaleph `src/aleph/toolkit/json.py`. */
export const MAX_JSON_DEPTH = 1024;

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 64n - 1n;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

export type StrictJsonResult =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly reason: string; readonly offset: number };

/** What a step returns once the text is known to be bad; the reason is kept by the parser. */
const FAILED = Symbol("failed");
type Failed = typeof FAILED;

/** RFC 8259 without leniency, for the texts that JSON.parse would read differently. `offset` is in UTF-16 units. */
export function parseStrictJson(text: string): StrictJsonResult {
  if (!text.isWellFormed()) {
    return { ok: false, reason: "the text contains a lone surrogate", offset: 0 };
  }
  const parser = new StrictParser(text);
  const value = parser.document();
  return value === FAILED ? { ok: false, ...parser.failure } : { ok: true, value };
}

class StrictParser {
  readonly #text: string;
  #position = 0;
  #depth = 0;
  /** The last number read is a float of integral value. */
  #integralFloat = false;
  failure = { reason: "", offset: 0 };

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonValue | Failed {
    this.#skipSpace();
    const value = this.#value();
    if (value === FAILED) return FAILED;
    this.#skipSpace();
    if (this.#position < this.#text.length) return this.#fail("unexpected text after the value");
    return value;
  }

  #fail(reason: string, offset = this.#position): Failed {
    this.failure = { reason, offset };
    return FAILED;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#position += 1;
    }
  }

  #value(): JsonValue | Failed {
    this.#integralFloat = false;
    switch (this.#text[this.#position]) {
      case "{":
        return this.#nested(() => this.#object());
      case "[":
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      case undefined:
        return this.#fail("unexpected end of text");
      default:
        return this.#number();
    }
  }

  #nested(read: () => JsonValue | Failed): JsonValue | Failed {
    if (this.#depth === MAX_JSON_DEPTH) return this.#fail(`nested deeper than ${MAX_JSON_DEPTH} levels`);
    this.#depth += 1;
    this.#position += 1;
    const value = read();
    this.#depth -= 1;
    this.#integralFloat = false;
    return value;
  }

  #word(word: string, value: JsonValue): JsonValue | Failed {
    if (!this.#text.startsWith(word, this.#position)) return this.#fail("not a JSON value");
    this.#position += word.length;
    return value;
  }

  #object(): JsonValue | Failed {
    const object: Record<string, JsonValue> = {};
    this.#skipSpace();
    if (this.#take("}")) return object;
    for (;;) {
      if (this.#text[this.#position] !== '"') return this.#fail("expected a member name");
      const key = this.#string();
      if (key === FAILED) return FAILED;
      this.#skipSpace();
      if (!this.#take(":")) return this.#fail("expected a colon");
      this.#skipSpace();
      const value = this.#value();
      if (value === FAILED) return FAILED;
      setMember(object, key, value);
      if (this.#integralFloat) markFloat(object, key);
      else unmarkFloat(object, key);
      this.#skipSpace();
      if (this.#take("}")) return object;
      if (!this.#take(",")) return this.#fail("expected a comma or the end of the object");
      this.#skipSpace();
    }
  }

  #array(): JsonValue | Failed {
    const array: JsonValue[] = [];
    this.#skipSpace();
    if (this.#take("]")) return array;
    for (;;) {
      const value = this.#value();
      if (value === FAILED) return FAILED;
      if (this.#integralFloat) markFloat(array, String(array.length));
      array.push(value);
      this.#skipSpace();
      if (this.#take("]")) return array;
      if (!this.#take(",")) return this.#fail("expected a comma or the end of the array");
      this.#skipSpace();
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#position] !== character) return false;
    this.#position += 1;
    return true;
  }

  #string(): string | Failed {
    let result = "";
    let runStart = this.#position + 1;
    for (let index = runStart; index < this.#text.length; index += 1) {
      const code = this.#text.charCodeAt(index);
      if (code === 0x22) {
        this.#position = index + 1;
        return result + this.#text.slice(runStart, index);
      }
      if (code < 0x20) return this.#fail("unescaped control character in a string", index);
      if (code === 0x5c) {
        const escaped = this.#escape(index);
        if (escaped === FAILED) return FAILED;
        result += this.#text.slice(runStart, index) + escaped;
        runStart = this.#position;
        index = runStart - 1;
      }
    }
    return this.#fail("string without an end", this.#text.length);
  }

  /** Decodes the escape at `start` (a pair of them for a supplementary character) and moves after it. */
  #escape(start: number): string | Failed {
    const letter = this.#text[start + 1];
    if (letter !== "u") {
      const simple = letter === undefined ? undefined : SIMPLE_ESCAPES[letter];
      if (simple === undefined) return this.#fail("unknown escape in a string", start);
      this.#position = start + 2;
      return simple;
    }
    const first = this.#hexUnit(start);
    if (first === null) return this.#fail("a \\u escape needs four hexadecimal digits", start);
    this.#position = start + 6;
    if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first);
    const second = this.#text.startsWith("\\u", start + 6) ? this.#hexUnit(start + 6) : null;
    if (first > 0xdbff || second === null || second < 0xdc00 || second > 0xdfff) {
      return this.#fail("lone surrogate escape in a string", start);
    }
    this.#position = start + 12;
    return String.fromCharCode(first, second);
  }

  #hexUnit(start: number): number | null {
    const digits = this.#text.slice(start + 2, start + 6);
    return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : null;
  }

  #number(): number | bigint | Failed {
    NUMBER.lastIndex = this.#position;
    const match = NUMBER.exec(this.#text);
    if (match === null) return this.#fail("not a JSON value");
    const [token, fraction, exponent] = match;
    const start = this.#position;
    this.#position += token.length;
    if (/[0-9]/.test(this.#text[this.#position] ?? "")) {
      return this.#fail("number with a leading zero", start);
    }
    if (fraction === undefined && exponent === undefined) {
      // The sign of an integer zero is not kept.
      if (token.length <= 15) return Number(token) + 0;
      // Beyond 20 digits no integer fits 64 bits; decoding such a text as bigint would cost its square.
      const exact = token.length <= 20 ? BigInt(token) : null;
      if (exact !== null && exact >= MIN_INTEGER && exact <= MAX_INTEGER) {
        return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
      }
    }
    const value = Number(token);
    if (!Number.isFinite(value)) return this.#fail("number too large for a double", start);
    this.#integralFloat = Number.isInteger(value);
    return value;
  }
}
