import { type JsonValue, parseJson, sliceMember } from "@twentysix/protocol";
import type { JsonText } from "../types.ts";

/** Where the content of a message is kept: in the envelope, or beside it. */
interface StoredTexts {
  readonly envelope: JsonText;
  readonly content: string | null;
}

/** The content of a message as its author wrote it. */
export function contentTextOf(message: StoredTexts): JsonText {
  if (message.content !== null) return message.content;
  const token = sliceMember(message.envelope, "item_content");
  return token === undefined || token === "null" ? "null" : (JSON.parse(token) as string);
}

/** What the content route answers: the inner content of a POST, the whole of anything else. */
export function servedContentOf(message: StoredTexts & { readonly type: string }): JsonText {
  const text = contentTextOf(message);
  return message.type === "POST" ? (sliceMember(text, "content") ?? "null") : text;
}

/** The decoded content. @throws RangeError when the stored text is damaged, since only valid JSON is stored. */
export function contentValueOf(message: StoredTexts): JsonValue {
  const parsed = parseJson(contentTextOf(message));
  if (!parsed.ok) throw new RangeError(`a stored content is not valid JSON: ${parsed.reason}`);
  return parsed.value;
}
