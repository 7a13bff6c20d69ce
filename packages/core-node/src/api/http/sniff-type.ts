/** How many bytes the guess needs. */
export const SNIFFED_BYTES = 512;

const SIGNATURES: readonly (readonly [type: string, offset: number, bytes: string])[] = [
  ["image/png", 0, "\x89PNG\r\n\x1a\n"],
  ["image/jpeg", 0, "\xff\xd8\xff"],
  ["image/gif", 0, "GIF8"],
  ["image/webp", 8, "WEBP"],
  ["image/avif", 4, "ftypavif"],
  ["application/pdf", 0, "%PDF-"],
  ["video/mp4", 4, "ftyp"],
  ["video/webm", 0, "\x1a\x45\xdf\xa3"],
  ["audio/mpeg", 0, "ID3"],
  ["audio/ogg", 0, "OggS"],
  ["application/wasm", 0, "\0asm"],
  ["application/zip", 0, "PK\x03\x04"],
  ["application/gzip", 0, "\x1f\x8b"],
];

/**
 * A media type by the first bytes of a file. Only types that a browser does not run: HTML and SVG stay plain text,
 * because files of strangers are served from the node's own origin.
 */
export function sniffType(head: Buffer): string {
  const text = head.toString("latin1");
  const known = SIGNATURES.find(([, offset, bytes]) => text.startsWith(bytes, offset));
  if (known !== undefined) return known[0];
  return head.length > 0 && isText(head) ? "text/plain; charset=utf-8" : "application/octet-stream";
}

/** UTF-8 without control characters; the last character may be cut. */
function isText(head: Buffer): boolean {
  if (head.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)) return false;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    decoder.decode(head, { stream: true });
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
