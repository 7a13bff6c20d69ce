import { isJsonObject, type JsonObject, type JsonValue, memberOf, setMember } from "../json/json-value.ts";
import { plural } from "./scalar-checks.ts";
import { type Check, INVALID, type Invalid, type Validation } from "./validation.ts";

/** How a member of an object is read, and what stands in for it when it is absent. */
export interface Field<Value> {
  readonly check: Check<Value>;
  /** undefined: the member is required. */
  readonly whenAbsent: (() => Value) | undefined;
}

export function required<Value>(check: Check<Value>): Field<Value> {
  return { check, whenAbsent: undefined };
}

/** May be absent or null; null then. */
export function optional<Value>(check: Check<Value>): Field<Value | null> {
  return { check: nullable(check), whenAbsent: () => null };
}

/** May be absent; null is not accepted. */
export function withDefault<Value>(check: Check<Value>, value: () => Value): Field<Value> {
  return { check, whenAbsent: value };
}

export function nullable<Value>(check: Check<Value>): Check<Value | null> {
  return (value, at) => (value === null ? null : check(value, at));
}

type Fields<Shape> = { readonly [Key in keyof Shape]-?: Field<Shape[Key]> };

/** An object whose other keys are ignored, and left out of the result. */
export function openObject<Shape extends object>(fields: Fields<Shape>): Check<Shape> {
  return objectCheck(fields, false);
}

/** An object that may have no other keys. */
export function closedObject<Shape extends object>(fields: Fields<Shape>): Check<Shape> {
  return objectCheck(fields, true);
}

function objectCheck<Shape extends object>(fields: Fields<Shape>, closed: boolean): Check<Shape> {
  const entries = Object.entries(fields) as [string, Field<JsonValue>][];
  const known = new Set(entries.map(([key]) => key));
  return (value, at) => {
    if (!isJsonObject(value)) {
      return at.fail("model_type", "Input should be a valid dictionary or object", value);
    }
    const result: Record<string, unknown> = {};
    let valid = true;
    for (const [key, field] of entries) {
      const member = readField(value, key, field, at);
      if (member === INVALID) valid = false;
      result[key] = member;
    }
    if (closed && !refuseUnknownKeys(value, known, at)) valid = false;
    return valid ? (result as Shape) : INVALID;
  };
}

function readField<Value>(
  object: JsonObject,
  key: string,
  field: Field<Value>,
  at: Validation,
): Value | Invalid {
  const member = memberOf(object, key);
  if (member !== undefined) return at.inside(object, key, member, field.check);
  return field.whenAbsent === undefined ? at.failAt(key, "missing", "Field required") : field.whenAbsent();
}

function refuseUnknownKeys(object: JsonObject, known: ReadonlySet<string>, at: Validation): boolean {
  let valid = true;
  for (const key of Object.keys(object)) {
    if (known.has(key)) continue;
    at.failAt(key, "extra_forbidden", "Extra inputs are not permitted", object[key]);
    valid = false;
  }
  return valid;
}

export interface CountLimits {
  readonly min?: number;
  readonly max?: number;
}

export function list<Value>(check: Check<Value>, limits: CountLimits = {}): Check<readonly Value[]> {
  return (value, at) => {
    if (!Array.isArray(value)) return at.fail("list_type", "Input should be a valid list", value);
    const items = value as readonly JsonValue[];
    // The count first: a list that is far too long must not fill the answer with problems of its items.
    if (!checkCount(items.length, "List", limits, at)) return INVALID;
    const result: Value[] = [];
    for (const [index, item] of items.entries()) {
      const read = at.inside(items, index, item, check);
      if (read !== INVALID) result.push(read);
    }
    return result.length === items.length ? result : INVALID;
  };
}

/** An object with free keys. */
export function record<Value extends JsonValue>(
  checks: { readonly key?: Check<string>; readonly value: (key: string) => Check<Value> },
  limits: CountLimits = {},
): Check<{ readonly [key: string]: Value }> {
  return (value, at) => {
    if (!isJsonObject(value)) return at.fail("dict_type", "Input should be a valid dictionary", value);
    const keys = Object.keys(value);
    if (!checkCount(keys.length, "Dictionary", limits, at)) return INVALID;
    const result: Record<string, JsonValue> = {};
    let valid = true;
    for (const key of keys) {
      const keyResult = checks.key === undefined ? key : at.inside(value, key, key, checks.key);
      const member = at.inside(value, key, value[key] as JsonValue, checks.value(key));
      if (keyResult === INVALID || member === INVALID) valid = false;
      else setMember(result, key, member);
    }
    return valid ? (result as Record<string, Value>) : INVALID;
  };
}

/** Any object; its members are kept as they are. */
export const freeObject: Check<JsonObject> = (value, at) =>
  isJsonObject(value) ? value : at.fail("dict_type", "Input should be a valid dictionary", value);

function checkCount(count: number, noun: string, limits: CountLimits, at: Validation): boolean {
  const { min = 0, max = Number.POSITIVE_INFINITY } = limits;
  if (count > max) {
    at.fail("too_long", `${noun} should have at most ${plural(max, "item")} after validation, not ${count}`);
  } else if (count < min) {
    at.fail(
      "too_short",
      `${noun} should have at least ${plural(min, "item")} after validation, not ${count}`,
    );
  }
  return count <= max && count >= min;
}

/**
 * Adds rules that look at several members at once. They run only on a value that is well-formed so far; each
 * gives the text of its refusal or null.
 */
export function withRules<Value>(
  check: Check<Value>,
  ...rules: readonly ((value: Value, at: Validation) => string | null)[]
): Check<Value> {
  return (value, at) => {
    const result = check(value, at);
    if (result === INVALID) return INVALID;
    let valid = true;
    for (const rule of rules) {
      const refusal = rule(result, at);
      if (refusal === null) continue;
      at.fail("value_error", `Value error, ${refusal}`);
      valid = false;
    }
    return valid ? result : INVALID;
  };
}
