import { canonicaliseJsonText, decodeUtf8 } from "@twentysix/protocol";

/** The compact, sorted form of a JSON body, or why it is none. */
export type CanonicalBytes =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string };

export function canonicalBytes(body: Uint8Array): CanonicalBytes {
  const text = decodeUtf8(body);
  if (text === null) return { ok: false, reason: "the body is not UTF-8" };
  const result = canonicaliseJsonText(text);
  if (result.ok) return { ok: true, bytes: Buffer.from(result.text) };
  const where = result.offset === undefined ? "" : ` at character ${result.offset}`;
  return { ok: false, reason: `${result.reason}${where}` };
}
