import { isJsonObject, type JsonObject } from "../json/json-value.ts";
import { parseJson } from "../json/parse-json.ts";
import { sliceMembers } from "../json/slice-json.ts";

export type CompleteContentResult =
  | { readonly ok: true; readonly content: JsonObject; readonly text: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Decodes a content that was fetched, and fills in what such contents may lack: `address` from the sender and
 * `time` from the envelope, when absent or null. Every other character of the text stays as it is.
 *
 * Inline contents are never completed. Fails for a text that is not a JSON object, or that contains the six
 * characters of an escaped NUL.
 */
export function completeContent(
  text: string,
  envelope: { readonly sender: string; readonly timeText: string },
): CompleteContentResult {
  const parsed = parseContentText(text);
  if (!parsed.ok) return parsed;
  const missing = [
    ["address", JSON.stringify(envelope.sender)],
    ["time", envelope.timeText],
  ].filter(([key]) => (parsed.content[key as string] ?? null) === null) as [string, string][];
  if (missing.length === 0) return { ...parsed, text };
  let completed = text;
  for (const [key, value] of missing) completed = setMemberText(completed, key, value);
  const reparsed = parseContentText(completed);
  return reparsed.ok ? { ...reparsed, text: completed } : reparsed;
}

/** Decodes the text of a content, inline or fetched: a JSON object without escaped NULs. */
export function parseContentText(
  text: string,
): { readonly ok: true; readonly content: JsonObject } | { readonly ok: false; readonly reason: string } {
  const parsed = parseJson(text);
  if (!parsed.ok) return { ok: false, reason: `the content is not valid JSON: ${parsed.reason}` };
  // Searched in the undecoded text on purpose: "\\u0000" after an escaped backslash is refused as well.
  if (text.includes("\\u0000")) return { ok: false, reason: "the content contains \\u0000" };
  if (!isJsonObject(parsed.value)) return { ok: false, reason: "the content is not a JSON object" };
  return { ok: true, content: parsed.value };
}

/** Replaces the value of a member in the text of a JSON object, or appends the member. */
function setMemberText(text: string, key: string, value: string): string {
  const members = sliceMembers(text);
  const range = members.get(key);
  if (range !== undefined) return `${text.slice(0, range.start)}${value}${text.slice(range.end)}`;
  const end = text.lastIndexOf("}");
  return `${text.slice(0, end)}${members.size > 0 ? "," : ""}${JSON.stringify(key)}:${value}${text.slice(end)}`;
}
