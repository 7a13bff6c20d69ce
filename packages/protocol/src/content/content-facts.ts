import type { MessageType } from "../envelope.ts";
import { isJsonObject, type JsonObject, type JsonValue, memberOf } from "../json/json-value.ts";
import { microsOfSeconds } from "../time/micros.ts";

/*
 * Facts that are indexed beside a message. They are read from the original JSON of its content, which an archive
 * may have kept since before a rule of today's schemas, so nothing here assumes more than a JSON object.
 */

/** Owner of what the message creates or changes; undefined when the content names none. */
export function ownerOf(content: JsonObject): string | undefined {
  return textOf(memberOf(content, "address"));
}

/** `content.time` in microseconds, rounded half to even; undefined when it is not a number in range. */
export function contentTimeMicros(content: JsonObject): bigint | undefined {
  const time = memberOf(content, "time");
  const seconds = typeof time === "boolean" ? Number(time) : time;
  if (typeof seconds !== "number" || !(seconds >= 0 && seconds <= 9_223_372_036)) return undefined;
  return microsOfSeconds(seconds);
}

/**
 * What listings filter by as the content type: the type of a POST, the key of an AGGREGATE (its name in the
 * object form), the type of a PROGRAM; null for the others.
 */
export function labelOf(type: MessageType, content: JsonObject): string | null {
  if (type === "POST" || type === "PROGRAM") return textOf(memberOf(content, "type")) ?? null;
  if (type !== "AGGREGATE") return null;
  const key = memberOf(content, "key");
  return textOf(isJsonObject(key) ? memberOf(key, "name") : key) ?? null;
}

/** The `ref` of a POST or STORE, or the item hash of its legacy object form; null when there is none. */
export function refOf(content: JsonObject): string | null {
  const ref = memberOf(content, "ref");
  return textOf(isJsonObject(ref) ? memberOf(ref, "item_hash") : ref) ?? null;
}

/** Tags of a content. What is not a list counts as none, what is not a text is skipped. */
export function tagsOf(type: MessageType, content: JsonObject): string[] {
  const tags = tagsMember(type, content);
  if (!Array.isArray(tags)) return [];
  return (tags as readonly JsonValue[]).filter((tag) => typeof tag === "string");
}

function tagsMember(type: MessageType, content: JsonObject): JsonValue | undefined {
  switch (type) {
    case "POST":
    case "AGGREGATE":
      return nested(content, "content");
    case "STORE":
      return memberOf(content, "tags");
    case "PROGRAM":
    case "INSTANCE":
    case "V-PROGRAM":
      return nested(content, "metadata");
    case "FORGET":
      return undefined;
  }
}

function nested(content: JsonObject, key: string): JsonValue | undefined {
  const object = memberOf(content, key);
  return isJsonObject(object) ? memberOf(object, "tags") : undefined;
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
