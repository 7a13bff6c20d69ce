/**
 * Steps over the tokens of a text that is known to be valid JSON. Positions are in UTF-16 units.
 * For any other text the results have no meaning, but every function ends.
 */

/** Index of the first character at or after `start` that is not white space. */
export function skipSpace(text: string, start: number): number {
  let index = start;
  while (text.charCodeAt(index) <= 0x20) index += 1;
  return index;
}

/** Index after the closing quote of the string that starts at `start`. */
export function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let backslash = end - 1;
    while (text.charCodeAt(backslash) === 0x5c) backslash -= 1;
    if ((end - backslash) % 2 === 1) return end + 1;
  }
}

/** Index after the number, `true`, `false` or `null` that starts at `start`. */
export function endOfScalar(text: string, start: number): number {
  let index = start;
  while (index < text.length && !endsScalar(text.charCodeAt(index))) index += 1;
  return index;
}

/** Space, comma, closing bracket or brace. */
function endsScalar(code: number): boolean {
  return code <= 0x20 || code === 0x2c || code === 0x5d || code === 0x7d;
}

/** Index after the value, whatever its kind, that starts at `start`. */
export function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfString(text, start);
  return first === "{" || first === "[" ? endOfContainer(text, start) : endOfScalar(text, start);
}

function endOfContainer(text: string, start: number): number {
  let depth = 0;
  let index = start;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === 0x22) {
      index = endOfString(text, index);
      continue;
    }
    index += 1;
    if (code === 0x7b || code === 0x5b) depth += 1;
    else if (code === 0x7d || code === 0x5d) {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  return index;
}

/** The text that a string token (with its quotes) stands for. */
export function decodeStringToken(token: string): string {
  return token.includes("\\") ? (JSON.parse(token) as string) : token.slice(1, -1);
}
