const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN = { brace: 0x7b, bracket: 0x5b } as const;
const CLOSE = { brace: 0x7d, bracket: 0x5d } as const;

/** A part of a text in UTF-8; `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Where the value of a member stands in a JSON object, in bytes: a text of many megabytes is not decoded to find a
 * part of it. Of duplicate keys the last one wins. `bytes` must be a valid JSON object.
 */
export function memberRange(bytes: Buffer, key: string): ByteRange | undefined {
  let found: ByteRange | undefined;
  let position = skipSpace(bytes, bytes.indexOf(OPEN.brace) + 1);
  while (bytes[position] === QUOTE) {
    const keyEnd = endOfString(bytes, position);
    const start = skipSpace(bytes, bytes.indexOf(":", keyEnd) + 1);
    const end = endOfValue(bytes, start);
    if (isKey(bytes.subarray(position, keyEnd), key)) found = { start, end };
    position = afterComma(bytes, end);
  }
  return found;
}

/** Where the elements of a JSON array stand, one after the other; nothing for any other value. */
export function* elementRanges(bytes: Buffer): Generator<ByteRange, void, undefined> {
  const first = skipSpace(bytes, 0);
  if (bytes[first] !== OPEN.bracket) return;
  let position = skipSpace(bytes, first + 1);
  while (position < bytes.length && bytes[position] !== CLOSE.bracket) {
    const end = endOfValue(bytes, position);
    yield { start: position, end };
    position = afterComma(bytes, end);
  }
}

/** The longest token that can stand for a key: every character of it may be written as an escape. */
const longestToken = (key: string): number => key.length * 6 + 2;

function isKey(token: Buffer, key: string): boolean {
  if (token.length > longestToken(key)) return false;
  return JSON.parse(token.toString("utf8")) === key;
}

function skipSpace(bytes: Buffer, start: number): number {
  let index = start;
  while (index < bytes.length && (bytes[index] ?? 0) <= 0x20) index += 1;
  return index;
}

function afterComma(bytes: Buffer, end: number): number {
  const next = skipSpace(bytes, end);
  return bytes[next] === COMMA ? skipSpace(bytes, next + 1) : next;
}

function endOfString(bytes: Buffer, start: number): number {
  let end = start;
  for (;;) {
    end = bytes.indexOf(QUOTE, end + 1);
    if (end < 0) return bytes.length;
    let backslash = end - 1;
    while (bytes[backslash] === BACKSLASH) backslash -= 1;
    if ((end - backslash) % 2 === 1) return end + 1;
  }
}

function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return endOfString(bytes, start);
  if (first === OPEN.brace || first === OPEN.bracket) return endOfContainer(bytes, start);
  let index = start;
  while (index < bytes.length && !endsScalar(bytes[index] ?? 0)) index += 1;
  return index;
}

function endsScalar(byte: number): boolean {
  return byte <= 0x20 || byte === COMMA || byte === CLOSE.bracket || byte === CLOSE.brace;
}

function endOfContainer(bytes: Buffer, start: number): number {
  let depth = 0;
  let index = start;
  while (index < bytes.length) {
    const byte = bytes[index];
    if (byte === QUOTE) {
      index = endOfString(bytes, index);
      continue;
    }
    index += 1;
    if (byte === OPEN.brace || byte === OPEN.bracket) depth += 1;
    else if (byte === CLOSE.brace || byte === CLOSE.bracket) {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  return index;
}
