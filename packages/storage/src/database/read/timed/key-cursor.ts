import { decodeItemHash, encodeItemHash } from "@twentysix/protocol";
import { type CursorScope, decodeCursor, encodeCursor } from "../cursor.ts";
import type { Position } from "./source.ts";

/** A cursor whose position is one or two times and an item hash. */
export function encodeKeyCursor(scope: CursorScope, { keys, hash }: Position): string {
  return encodeCursor(scope, { times: keys, texts: [decodeItemHash(hash)] });
}

/** @throws ReadError CURSOR_INVALID */
export function decodeKeyCursor(scope: CursorScope, cursor: string | null): Position | null {
  const position = decodeCursor(scope, cursor);
  if (position === null) return null;
  // A hash that nobody has is as good a place as any: only its bytes are compared.
  return { keys: position.times, hash: encodeItemHash(position.texts[0] ?? "") };
}
