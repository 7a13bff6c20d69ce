const SEQUENCE = 0x30;
const INTEGER = 0x02;
const NUMBER_SIZE_BYTES = 32;
/** Two integers of 33 bytes with their headers, and the header of the sequence. */
const MAX_SIZE_BYTES = 2 + 2 * (2 + 33);

/**
 * Reads an ECDSA signature in strict DER into r || s (64 bytes): shortest lengths, no negative numbers, no
 * superfluous zeros, nothing after the end. Null for anything else.
 */
export function decodeDerSignature(der: Uint8Array): Uint8Array | null {
  if (der.length > MAX_SIZE_BYTES || der[0] !== SEQUENCE || der[1] !== der.length - 2) return null;
  const rs = new Uint8Array(2 * NUMBER_SIZE_BYTES);
  const afterR = readInteger(der, 2, rs.subarray(0, NUMBER_SIZE_BYTES));
  if (afterR === null) return null;
  return readInteger(der, afterR, rs.subarray(NUMBER_SIZE_BYTES)) === der.length ? rs : null;
}

/** Copies the integer at `offset` into `target`, right-aligned; returns the offset after it, or null. */
function readInteger(der: Uint8Array, offset: number, target: Uint8Array): number | null {
  const size = der[offset + 1] ?? 0;
  const end = offset + 2 + size;
  if (der[offset] !== INTEGER || size === 0 || end > der.length) return null;
  const first = der[offset + 2] ?? 0;
  const second = der[offset + 3] ?? 0;
  if (first >= 0x80 || (first === 0 && size > 1 && second < 0x80)) return null;
  const digits = der.subarray(first === 0 ? offset + 3 : offset + 2, end);
  if (digits.length > NUMBER_SIZE_BYTES) return null;
  target.set(digits, NUMBER_SIZE_BYTES - digits.length);
  return end;
}

/** Strict DER of r || s (64 bytes). */
export function encodeDerSignature(rs: Uint8Array): Uint8Array {
  const body = [
    ...encodeInteger(rs.subarray(0, NUMBER_SIZE_BYTES)),
    ...encodeInteger(rs.subarray(NUMBER_SIZE_BYTES)),
  ];
  return Uint8Array.from([SEQUENCE, body.length, ...body]);
}

function encodeInteger(number: Uint8Array): number[] {
  const start = number.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? [] : [...number.subarray(start)];
  if ((digits[0] ?? 0x80) >= 0x80) digits.unshift(0);
  return [INTEGER, digits.length, ...digits];
}
