import { isJsonObject, parseJson, stringifyJson } from "@twentysix/protocol";

/*
 * A line of an exported file is the envelope of a message. When its content is not inline, the content travels
 * along under one key in front of the envelope's own; readers that do not know it see an unknown key.
 */

const KEY = "stored_content";
const PREFIX = `{"${KEY}":`;

/** What one line says: the envelope as it was exported, and the content of a message that is not inline. */
export type ExchangeLine =
  | { readonly ok: true; readonly envelopeText: string; readonly content: string | null }
  | { readonly ok: false; readonly reason: string };

/** The line of a copy, without a line feed at its end. */
export function writeExchangeLine(envelopeText: string, content: string | null): string {
  // A line feed in valid JSON is layout: inside a text it is escaped.
  const line = envelopeText.replaceAll(/[\r\n]+/g, " ").trim();
  return content === null ? line : `${PREFIX}${JSON.stringify(content)},${line.slice(1)}`;
}

/** Takes a line apart. Whatever does not carry a content is an envelope for the pipeline to judge. */
export function readExchangeLine(line: string): ExchangeLine {
  if (!line.includes(`"${KEY}"`)) return { ok: true, envelopeText: line, content: null };
  return line.startsWith(PREFIX) ? readOwn(line) : readRewritten(line);
}

/** As this program writes it: what follows the content is the exact text of the envelope. */
function readOwn(line: string): ExchangeLine {
  const end = endOfText(line, PREFIX.length);
  const value = end === null ? null : parseJson(line.slice(PREFIX.length, end));
  if (end === null || line[end] !== "," || value?.ok !== true || typeof value.value !== "string") {
    return readRewritten(line);
  }
  return { ok: true, envelopeText: `{${line.slice(end + 1)}`, content: value.value };
}

/** As another program may have written it anew. */
function readRewritten(line: string): ExchangeLine {
  const parsed = parseJson(line);
  if (!parsed.ok) return { ok: false, reason: `not valid JSON: ${parsed.reason}` };
  if (!isJsonObject(parsed.value)) return { ok: true, envelopeText: line, content: null };
  const { [KEY]: content, ...envelope } = parsed.value;
  if (content === undefined) return { ok: true, envelopeText: line, content: null };
  if (typeof content !== "string") return { ok: false, reason: `${KEY} is not a text` };
  return { ok: true, envelopeText: stringifyJson(envelope), content };
}

/** The index behind a JSON text that begins at `start`; null when it does not end. */
function endOfText(line: string, start: number): number | null {
  if (line[start] !== '"') return null;
  for (let at = start + 1; at < line.length; at += 1) {
    if (line[at] === "\\") at += 1;
    else if (line[at] === '"') return at + 1;
  }
  return null;
}
