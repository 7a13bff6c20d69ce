import { decodeBase32, decodeLowerHex, encodeBase32, encodeHex } from "@twentysix/protocol";

const LABEL_CHARACTERS = 52;

/** The label of a host name that stands for a hash: its bytes in unpadded lower-case base32. */
export function hashLabel(vmHash: string): string {
  return encodeBase32(decodeLowerHex(vmHash) ?? new Uint8Array());
}

/** The hash that a label stands for, in any case; null: it is no label of a hash. */
export function decodeHashLabel(label: string): string | null {
  if (label.length !== LABEL_CHARACTERS) return null;
  const bytes = decodeBase32(label.toLowerCase());
  return bytes === null ? null : encodeHex(bytes);
}
