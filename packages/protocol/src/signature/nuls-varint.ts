/** NULS length prefix: one byte below 253, else a marker and 2, 4 or 8 bytes, little endian. */
export function encodeVarint(value: number): Uint8Array {
  if (value < 253) return Uint8Array.of(value);
  if (value <= 0xffff) return Uint8Array.of(253, value & 0xff, value >> 8);
  const bytes = new Uint8Array(5);
  bytes[0] = 254;
  new DataView(bytes.buffer).setUint32(1, value, true);
  return bytes;
}

/** Reads a field that its length precedes; null when the bytes end before the field does. */
export function readLengthPrefixed(
  bytes: Uint8Array,
  offset: number,
): { readonly field: Uint8Array; readonly end: number } | null {
  const length = readVarint(bytes, offset);
  if (length === null) return null;
  const start = offset + length.sizeBytes;
  const end = start + length.value;
  return end > bytes.length ? null : { field: bytes.subarray(start, end), end };
}

function readVarint(bytes: Uint8Array, offset: number): { value: number; sizeBytes: number } | null {
  const first = bytes[offset];
  if (first === undefined) return null;
  if (first < 253) return { value: first, sizeBytes: 1 };
  const digits = first === 253 ? 2 : first === 254 ? 4 : 8;
  if (offset + 1 + digits > bytes.length) return null;
  let value = 0;
  // Eight bytes lose precision past 2^53, far above any length that fits: such a field ends beyond the bytes.
  for (let index = digits; index >= 1; index -= 1) value = value * 256 + (bytes[offset + index] ?? 0);
  return { value, sizeBytes: 1 + digits };
}
