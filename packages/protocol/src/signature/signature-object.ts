import { isJsonObject, type JsonObject, memberOf } from "../json/json-value.ts";
import { parseJson } from "../json/parse-json.ts";

/** The object that a signature text holds on the chains whose signatures are JSON, or null. */
export function parseSignatureObject(text: string): JsonObject | null {
  const parsed = parseJson(text);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : null;
}

/** The member `key` when it is a string, else null. */
export function stringMember(object: JsonObject, key: string): string | null {
  const value = memberOf(object, key);
  return typeof value === "string" ? value : null;
}
