const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/**
 * Bech32 text of `bytes` under a human-readable part, of any length and any characters: an address is checked by
 * building the text that a key should have, so this must give an answer for whatever prefix a sender claims.
 *
 * Source: BIP-173.
 */
export function encodeBech32(humanReadablePart: string, bytes: Uint8Array): string {
  const words = toWords(bytes);
  const points = Array.from(humanReadablePart, (character) => character.codePointAt(0) ?? 0);
  const high = points.map((point) => point >> 5);
  const low = points.map((point) => point & 31);
  const residue = polymod([...high, 0, ...low, ...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  const checksum = [25, 20, 15, 10, 5, 0].map((shift) => (residue >> shift) & 31);
  const data = [...words, ...checksum].map((word) => ALPHABET[word] ?? "").join("");
  return `${humanReadablePart}1${data}`;
}

/** Regroups 8-bit bytes into 5-bit words, the last one filled with zeros. */
function toWords(bytes: Uint8Array): number[] {
  const words: number[] = [];
  let carry = 0;
  let bits = 0;
  for (const byte of bytes) {
    carry = (carry << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      words.push((carry >> bits) & 31);
    }
    carry &= (1 << bits) - 1;
  }
  if (bits > 0) words.push((carry << (5 - bits)) & 31);
  return words;
}

function polymod(values: readonly number[]): number {
  let checksum = 1;
  for (const value of values) {
    const top = checksum >> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ value;
    GENERATORS.forEach((generator, index) => {
      if ((top >> index) & 1) checksum ^= generator;
    });
  }
  return checksum;
}
