import { parseJson } from "../json/parse-json.ts";
import { decodeUtf8, encodeUtf8 } from "../json/utf8.ts";

/**
 * The JSON text of a gossip payload, null when there is none in it.
 *
 * The bytes are read as they are. Only when they are not JSON is the percent-decoded form tried, which some
 * publishers send: decoding first would alter every message that contains `%41`, and break its hash.
 */
export function decodeGossipPayload(bytes: Uint8Array): string | null {
  const text = decodeUtf8(bytes);
  if (text === null) return null;
  if (parseJson(text).ok) return text;
  const decoded = text.includes("%") ? decodeUtf8(percentDecode(encodeUtf8(text))) : null;
  return decoded !== null && parseJson(decoded).ok ? decoded : null;
}

/** Replaces every `%` with two hexadecimal digits by its byte; a `%` without them stays. */
function percentDecode(bytes: Uint8Array): Uint8Array {
  const decoded = new Uint8Array(bytes.length);
  let length = 0;
  for (let index = 0; index < bytes.length; index += 1, length += 1) {
    const high = bytes[index] === 0x25 ? hexValue(bytes[index + 1]) : -1;
    const low = high < 0 ? -1 : hexValue(bytes[index + 2]);
    if (low < 0) {
      decoded[length] = bytes[index] ?? 0;
    } else {
      decoded[length] = high * 16 + low;
      index += 2;
    }
  }
  return decoded.subarray(0, length);
}

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  return "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
}
