import { sliceMember } from "@twentysix/protocol";
import { longText } from "../long-text/item-text.ts";
import type { ItemText, LongPart } from "../text-types.ts";
import type { JsonText } from "../types.ts";

/** A content that is too long to be held. */
export interface LongContent extends Pick<Extract<LongPart, { kind: "stored" }>, "of" | "id" | "sizeBytes"> {
  readonly of: "copy" | "candidate";
}

/** Where the content of a message is kept: in the envelope, or beside it. */
interface StoredTexts {
  readonly envelope: JsonText;
  /** null: in the envelope, or long. */
  readonly content: string | null;
  readonly longContent: LongContent | null;
}

/** The content of a message as its author wrote it. */
export function contentTextOf(message: StoredTexts): ItemText {
  return message.longContent === null ? heldContentOf(message) : longPartOf(message.longContent, null);
}

/** The value of one member of the content, `null` when it has none. */
export function contentMemberOf(message: StoredTexts, key: string): ItemText {
  if (message.longContent !== null) return longPartOf(message.longContent, key);
  return sliceMember(heldContentOf(message), key) ?? "null";
}

/** What the content route answers: the inner content of a POST, the whole of anything else. */
export function servedContentOf(message: StoredTexts & { readonly type: string }): ItemText {
  return message.type === "POST" ? contentMemberOf(message, "content") : contentTextOf(message);
}

function heldContentOf(message: StoredTexts): JsonText {
  if (message.content !== null) return message.content;
  const token = sliceMember(message.envelope, "item_content");
  return token === undefined || token === "null" ? "null" : (JSON.parse(token) as string);
}

function longPartOf({ of, id, sizeBytes }: LongContent, member: string | null): ItemText {
  return longText({ kind: "stored", of, id, member, sizeBytes });
}
