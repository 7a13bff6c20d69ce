/*
 * How the text of a message travels. Nodes of the existing network read bytes as UTF-8, undo percent-encoding as of
 * URLs, and only then read JSON: a `%` of the text has to be written as `%25` for them to read what was meant.
 *
 * Source: pyaleph `src/aleph/services/p2p/protocol.py`, `src/aleph/web/controllers/p2p.py`.
 */

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes to publish for a text. */
export function encodeGossip(text: string): Uint8Array {
  return encoder.encode(text.replaceAll("%", "%25"));
}

/**
 * What bytes may mean, the likelier reading first: the text itself, and the text with its escapes undone. Which of them
 * was meant shows when it is verified. Empty for what is no UTF-8.
 */
export function decodeGossip(data: Uint8Array): string[] {
  const text = decode(data);
  if (text === null) return [];
  if (!text.includes("%")) return [text];
  const plain = unescapePercent(text);
  if (plain === null || plain === text) return [text];
  // A sender of this kind escapes every `%`; whatever has another one was not escaped.
  const isEscaped = !/%(?!25)/.test(text);
  return isEscaped ? [plain, text] : [text, plain];
}

function decode(data: Uint8Array): string | null {
  try {
    return strict.decode(data);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Escapes that are none stay as they are. null: the result is no UTF-8. */
function unescapePercent(text: string): string | null {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; ) {
    const code = /^%([0-9a-fA-F]{2})/.exec(text.slice(at, at + 3));
    if (code?.[1] !== undefined) {
      bytes.push(Number.parseInt(code[1], 16));
      at += 3;
      continue;
    }
    const next = text.indexOf("%", at + 1);
    const end = next === -1 ? text.length : next;
    for (const byte of encoder.encode(text.slice(at, end))) bytes.push(byte);
    at = end;
  }
  return decode(Uint8Array.from(bytes));
}
