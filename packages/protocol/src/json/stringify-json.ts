import { compareCodePoints } from "./code-point-order.ts";
import { isFloatMember, type JsonValue } from "./json-value.ts";

/**
 * Compact JSON text of a value. 64-bit integers are exact, and a number that was read as `2.0` is written as a
 * float again.
 */
export function stringifyJson(value: JsonValue): string {
  return write(value, false, false);
}

/**
 * Compact JSON text with the keys sorted by code point at every level.
 *
 * It depends on the value alone: `2.0` and `2` are one number and give one text, numbers in the shortest form
 * of ECMAScript, integers of 64 bits exact.
 */
export function stringifyCanonicalJson(value: JsonValue): string {
  return write(value, true, false);
}

function write(value: JsonValue, sorted: boolean, asFloat: boolean): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return writeNumber(value, asFloat);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isArray(value)) {
    const items = value.map((item, index) => write(item, sorted, !sorted && isFloatMember(value, index)));
    return `[${items.join(",")}]`;
  }
  const keys = Object.keys(value);
  if (sorted) keys.sort(compareCodePoints);
  const members = keys.map((key) => {
    const member = value[key] as JsonValue;
    return `${JSON.stringify(key)}:${write(member, sorted, !sorted && isFloatMember(value, key))}`;
  });
  return `{${members.join(",")}}`;
}

function writeNumber(value: number, asFloat: boolean): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} has no JSON form; send a finite number`);
  if (!asFloat) return String(value);
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
