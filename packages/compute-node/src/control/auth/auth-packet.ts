/** Members of what a client sends to prove who it is, before anything is known of it. */

export function objectOf(value: unknown): Readonly<Record<string, unknown>> | null {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : null;
}

export function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

const HEX = /^(?:[0-9a-f]{2})+$/i;
/** No payload or signature of any client is longer. */
const MAX_HEX_CHARACTERS = 16_384;

/** Bytes of hexadecimal digits without prefix; null: they are none. */
export function decodeHex(text: string | null): Buffer | null {
  if (text === null || text.length > MAX_HEX_CHARACTERS || !HEX.test(text)) return null;
  return Buffer.from(text, "hex");
}
