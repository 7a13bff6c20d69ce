/** Any decoded JSON value. Integers outside the safe range of a double (up to 64 bits) are bigints. */
export type JsonValue = null | boolean | number | bigint | string | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The own member `key` of `object`, undefined when there is none.
 *
 * Use it for every key that comes from outside: plain indexing would find `constructor` or `__proto__` on the
 * prototype.
 */
export function memberOf(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets an own member even when the key is `__proto__`. */
export function setMember(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/**
 * Members whose number has an integral value but is a float to the protocol: `2.0`, `1e3`, or an integer too
 * large for 64 bits. A JavaScript number cannot tell `2.0` from `2`, and strict integer fields must.
 */
const floatMembers = new WeakMap<object, Set<string>>();

export function markFloat(container: object, key: string): void {
  const marked = floatMembers.get(container);
  if (marked === undefined) floatMembers.set(container, new Set([key]));
  else marked.add(key);
}

export function unmarkFloat(container: object, key: string): void {
  floatMembers.get(container)?.delete(key);
}

/**
 * True when the member `key` (or the array element of that index) is a number that is a float to the protocol.
 *
 * For integral values this needs a container that came from `parseJson`; a value built in code counts as an
 * integer.
 */
export function isFloatMember(container: object, key: string | number): boolean {
  const value = (container as Record<string | number, unknown>)[key];
  if (typeof value !== "number") return false;
  return !Number.isInteger(value) || (floatMembers.get(container)?.has(String(key)) ?? false);
}
