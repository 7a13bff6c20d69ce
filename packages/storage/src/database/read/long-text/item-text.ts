import type { ItemText, LongPart, LongText } from "../text-types.ts";
import type { JsonText } from "../types.ts";

/**
 * Stored texts above this are not held but read in pieces of this size: what is held of one item then stays below
 * a few times this.
 */
export const LONG_TEXT_BYTES = 256 * 1024;

/** One text out of several; long when one of them is. */
export function joinTexts(...texts: readonly ItemText[]): ItemText {
  const parts: (JsonText | LongPart)[] = [];
  for (const text of texts) {
    for (const part of typeof text === "string" ? [text] : text.parts) {
      const last = parts.at(-1);
      if (typeof part === "string" && typeof last === "string") parts[parts.length - 1] = last + part;
      else parts.push(part);
    }
  }
  const [first] = parts;
  if (first === undefined) return "";
  if (parts.length === 1 && typeof first === "string") return first;
  return { parts };
}

/** A text that is one long part. */
export function longText(part: LongPart): LongText {
  return { parts: [part] };
}

/** Bytes of a text in UTF-8; of a long one at most as many. */
export function sizeOfText(text: ItemText): number {
  if (typeof text === "string") return Buffer.byteLength(text);
  return text.parts.reduce(
    (sum, part) => sum + (typeof part === "string" ? Buffer.byteLength(part) : part.sizeBytes),
    0,
  );
}
