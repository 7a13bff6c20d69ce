import { decodeStringToken, endOfString, endOfValue, skipSpace } from "./raw-scan.ts";

/** A part of a text, in UTF-16 units; `end` is exclusive. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Where the value of each member of a JSON object stands in `text`, so that stored JSON can be spliced without
 * being decoded and encoded again. Of duplicate keys the last one wins.
 *
 * `text` must be a JSON object that `parseJson` has accepted; for any other text the result has no meaning.
 */
export function sliceMembers(text: string): Map<string, TextRange> {
  const members = new Map<string, TextRange>();
  forEachMember(text, (key, start, end) => members.set(key, { start, end }));
  return members;
}

/** The raw text of one member of a JSON object, undefined when it has none; same condition as `sliceMembers`. */
export function sliceMember(text: string, key: string): string | undefined {
  let found: string | undefined;
  forEachMember(text, (name, start, end) => {
    if (name === key) found = text.slice(start, end);
  });
  return found;
}

function forEachMember(text: string, visit: (key: string, start: number, end: number) => void): void {
  let position = skipSpace(text, text.indexOf("{") + 1);
  while (text[position] === '"') {
    const keyEnd = endOfString(text, position);
    const start = skipSpace(text, text.indexOf(":", keyEnd) + 1);
    const end = endOfValue(text, start);
    visit(decodeStringToken(text.slice(position, keyEnd)), start, end);
    position = afterComma(text, end);
  }
}

/** Where the elements of a JSON array stand in `text`; same condition as `sliceMembers`. */
export function sliceElements(text: string): TextRange[] {
  const elements: TextRange[] = [];
  let position = skipSpace(text, text.indexOf("[") + 1);
  while (position < text.length && text[position] !== "]") {
    const end = endOfValue(text, position);
    elements.push({ start: position, end });
    position = afterComma(text, end);
  }
  return elements;
}

function afterComma(text: string, end: number): number {
  const next = skipSpace(text, end);
  return text[next] === "," ? skipSpace(text, next + 1) : next;
}
