const LINE_CHARACTERS = 76;
/** 57 bytes make one line of 76 characters. */
const LINE_BYTES = 57;
const BLOCK_BYTES = LINE_BYTES * 1024;

/**
 * Base64 with a newline after every 76 characters and at the end, as escaped JSON text, in bounded memory.
 * Source: `base64.encodebytes`, which pyaleph `src/aleph/web/controllers/storage.py` uses.
 */
export async function* base64JsonText(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const piece of source) {
    pending.push(piece);
    pendingBytes += piece.length;
    if (pendingBytes < BLOCK_BYTES) continue;
    const joined = Buffer.concat(pending);
    const whole = joined.length - (joined.length % LINE_BYTES);
    yield lines(joined.subarray(0, whole));
    pending = [joined.subarray(whole)];
    pendingBytes = joined.length - whole;
  }
  if (pendingBytes > 0) yield lines(Buffer.concat(pending));
}

function lines(bytes: Buffer): string {
  const encoded = bytes.toString("base64");
  let text = "";
  for (let start = 0; start < encoded.length; start += LINE_CHARACTERS) {
    text += `${encoded.slice(start, start + LINE_CHARACTERS)}\\n`;
  }
  return text;
}
