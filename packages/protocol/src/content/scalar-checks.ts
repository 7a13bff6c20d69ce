import { isItemHash } from "../hash/item-hash.ts";
import type { JsonValue } from "../json/json-value.ts";
import { type Check, INVALID, type Invalid, type Validation } from "./validation.ts";

/*
 * Coercions of the lenient mode in which the network reads contents. Source: the schemas of aleph-message
 * (`aleph_message/models/`), which are read by a validation library in its lax mode.
 */

const INTEGER_TEXT = /^\p{White_Space}*([+-]?)([0-9]+(?:_[0-9]+)*)(?:\.0+)?\p{White_Space}*$/u;
const FLOAT_TEXT =
  /^\p{White_Space}*([+-]?(?:[0-9_]+\.?[0-9_]*|\.[0-9_]+)(?:[eE][+-]?[0-9_]+)?|[+-]?inf(?:inity)?)\p{White_Space}*$/iu;
const MAX_INTEGER_TEXT = 4300;
const TRUE_TEXTS = new Set(["true", "t", "yes", "y", "on", "1"]);
const FALSE_TEXTS = new Set(["false", "f", "no", "n", "off", "0"]);

export interface StringLimits {
  /** Characters (code points). */
  readonly min?: number;
  /** Characters (code points). */
  readonly max?: number;
  readonly pattern?: RegExp;
}

export function string(limits: StringLimits = {}): Check<string> {
  const { min = 0, max = Number.POSITIVE_INFINITY, pattern } = limits;
  return (value, at) => {
    if (typeof value !== "string") return at.fail("string_type", "Input should be a valid string", value);
    // The number of UTF-16 units bounds the number of characters from both sides.
    const length = value.length > max || value.length < 2 * min ? characterCount(value) : value.length;
    if (length > max) {
      return at.fail("string_too_long", `String should have at most ${plural(max, "character")}`, value);
    }
    if (length < min) {
      return at.fail("string_too_short", `String should have at least ${plural(min, "character")}`, value);
    }
    if (pattern !== undefined && !pattern.test(value)) {
      return at.fail("string_pattern_mismatch", `String should match pattern '${pattern.source}'`, value);
    }
    return value;
  };
}

/** Number of Unicode code points. */
export function characterCount(text: string): number {
  let pairs = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) pairs += 1;
  }
  return text.length - pairs;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A strict item hash. */
export const itemHash: Check<string> = (value, at) => {
  if (typeof value !== "string") return at.fail("string_type", "Input should be a valid string", value);
  if (isItemHash(value, at.switches)) return value;
  return at.fail(
    "value_error",
    `Value error, Could not determine hash type: '${value.slice(0, 100)}'`,
    value,
  );
};

/** One of a few exact texts. */
export function oneOf<const Text extends string>(...texts: readonly Text[]): Check<Text> {
  const known = new Set<string>(texts);
  const quoted = texts.map((text) => `'${text}'`);
  const expected =
    quoted.length > 1 ? `${quoted.slice(0, -1).join(", ")} or ${quoted[quoted.length - 1]}` : quoted.join();
  return (value, at) =>
    typeof value === "string" && known.has(value)
      ? (value as Text)
      : at.fail("enum", `Input should be ${expected}`, value);
}

export const boolean: Check<boolean> = (value, at) => {
  if (typeof value === "boolean") return value;
  if (value === 0 || value === 1) return value === 1;
  if (typeof value === "string") {
    const lower = value.toLowerCase();
    if (TRUE_TEXTS.has(lower)) return true;
    if (FALSE_TEXTS.has(lower)) return false;
  }
  const type = typeof value === "string" || Number.isInteger(value) ? "bool_parsing" : "bool_type";
  const rest = type === "bool_parsing" ? ", unable to interpret input" : "";
  return at.fail(type, `Input should be a valid boolean${rest}`, value);
};

export const strictBoolean: Check<boolean> = (value, at) =>
  typeof value === "boolean" ? value : at.fail("bool_type", "Input should be a valid boolean", value);

export interface IntegerLimits {
  readonly min?: number | bigint;
  readonly max?: number | bigint;
  /** Refuse everything but a JSON integer: no `2.0`, no text, no boolean. */
  readonly strict?: boolean;
}

/** An integer that fits a double: give both limits. */
export function integer(
  limits: IntegerLimits & { readonly min: number; readonly max: number },
): Check<number> {
  const wide = wideInteger(limits);
  return (value, at) => {
    const result = wide(value, at);
    return result === INVALID ? INVALID : Number(result);
  };
}

/** An integer of any size: a number when that is exact, else a bigint. */
export function wideInteger(limits: IntegerLimits = {}): Check<number | bigint> {
  const { min, max, strict = false } = limits;
  return (value, at) => {
    const result = strict ? strictIntegerOf(value, at) : integerOf(value, at);
    if (result === INVALID) return INVALID;
    if (min !== undefined && result < min) {
      return at.fail("greater_than_equal", `Input should be greater than or equal to ${min}`, value);
    }
    if (max !== undefined && result > max) {
      return at.fail("less_than_equal", `Input should be less than or equal to ${max}`, value);
    }
    return result;
  };
}

function strictIntegerOf(value: JsonValue, at: Validation): number | bigint | Invalid {
  if (typeof value === "bigint" || (typeof value === "number" && !at.isFloat())) return value;
  return at.fail("int_type", "Input should be a valid integer", value);
}

function integerOf(value: JsonValue, at: Validation): number | bigint | Invalid {
  switch (typeof value) {
    case "bigint":
      return value;
    case "boolean":
      return value ? 1 : 0;
    case "number":
      if (!Number.isInteger(value)) {
        return at.fail(
          "int_from_float",
          "Input should be a valid integer, got a number with a fractional part",
          value,
        );
      }
      if (value >= 2 ** 63 || value < -(2 ** 63)) {
        return at.fail("int_parsing_size", "Input should be an integer of 64 bits", value);
      }
      return value + 0;
    case "string": {
      const match = value.length <= MAX_INTEGER_TEXT ? INTEGER_TEXT.exec(value) : null;
      if (match === null) {
        return at.fail(
          "int_parsing",
          "Input should be a valid integer, unable to parse string as an integer",
          value,
        );
      }
      const exact = BigInt((match[2] ?? "").replaceAll("_", "")) * (match[1] === "-" ? -1n : 1n);
      return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
    }
    default:
      return at.fail("int_type", "Input should be a valid integer", value);
  }
}

/** Any number; a text may spell it, with an exponent, spaces and underscores. */
export const float: Check<number> = (value, at) => {
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    return Number(value);
  }
  if (typeof value !== "string") return at.fail("float_type", "Input should be a valid number", value);
  const spelled = FLOAT_TEXT.exec(value)?.[1];
  if (
    spelled === undefined ||
    /__|^[+-]?_|_$|[eE][+-]?_|_[eE]/.test(spelled) ||
    !/[0-9]|inf/i.test(spelled)
  ) {
    return at.fail(
      "float_parsing",
      "Input should be a valid number, unable to parse string as a number",
      value,
    );
  }
  const plain = spelled.replaceAll("_", "").toLowerCase();
  if (plain.includes("inf"))
    return plain.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(plain);
};

export const anyJson: Check<JsonValue> = (value) => value;
