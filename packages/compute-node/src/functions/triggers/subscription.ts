import { isJsonObject, type JsonObject, type JsonValue, memberOf } from "@twentysix/protocol";

const MAX_DEPTH = 32;

/**
 * Whether a message has all that a subscription names: members of objects are looked for at any depth, everything else
 * must be equal. Nothing that a stranger writes in one can do more than not match.
 */
export function matches(subscription: JsonObject, message: JsonObject): boolean {
  return Object.keys(subscription).length > 0 && contains(message, subscription, 0);
}

function contains(value: JsonValue | undefined, wanted: JsonValue, depth: number): boolean {
  if (depth > MAX_DEPTH || value === undefined) return false;
  if (isJsonObject(wanted)) {
    if (!isJsonObject(value)) return false;
    return Object.keys(wanted).every((key) => {
      const member = memberOf(wanted, key);
      return member !== undefined && contains(memberOf(value, key), member, depth + 1);
    });
  }
  if (Array.isArray(wanted)) {
    const isSameLength = Array.isArray(value) && value.length === wanted.length;
    return isSameLength && wanted.every((item, index) => contains(value[index], item, depth + 1));
  }
  return value === wanted;
}

/** What a subscription is found by: the rarest of the members that all messages have as text. */
export function indexKeyOf(subscription: JsonObject): string {
  for (const name of INDEXED) {
    const value = memberOf(subscription, name);
    if (typeof value === "string") return `${name}:${value}`;
  }
  return ANY;
}

/** All keys under which subscriptions of this message can stand. */
export function indexKeysOf(message: JsonObject): readonly string[] {
  const keys = [ANY];
  for (const name of INDEXED) {
    const value = memberOf(message, name);
    if (typeof value === "string") keys.push(`${name}:${value}`);
  }
  return keys;
}

const ANY = "";
const INDEXED = ["item_hash", "sender", "channel", "type", "chain"] as const;
