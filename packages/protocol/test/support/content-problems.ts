import assert from "node:assert/strict";
import {
  type ContentSwitches,
  type JsonValue,
  type MessageType,
  parseJson,
  validateContent,
} from "../../src/index.ts";

/** Errors of a content that is given as a value, as `path: type`; empty when it is accepted. */
export function problemsOf(type: MessageType, content: object, switches: ContentSwitches = {}): string[] {
  const parsed = parseJson(JSON.stringify(content));
  assert.ok(parsed.ok);
  return problemsOfValue(type, parsed.value, switches);
}

export function problemsOfValue(
  type: MessageType,
  value: JsonValue,
  switches: ContentSwitches = {},
): string[] {
  const result = validateContent(type, value, switches);
  return result.ok ? [] : result.errors.map((error) => `${error.loc.slice(1).join(".")}: ${error.type}`);
}

export function accepted(type: MessageType, content: object, switches: ContentSwitches = {}): void {
  assert.deepEqual(problemsOf(type, content, switches), [], JSON.stringify(content).slice(0, 300));
}

export function refused(type: MessageType, content: object, ...problems: string[]): void {
  assert.deepEqual(problemsOf(type, content), problems, JSON.stringify(content).slice(0, 300));
}
