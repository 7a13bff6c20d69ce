/**
 * True for 33 bytes that start with 2 or 3 and 65 bytes that start with 4. The hybrid forms (6, 7), which only
 * some implementations read, are no keys here.
 */
export function isSecp256k1KeyForm(publicKey: Uint8Array): boolean {
  const first = publicKey[0];
  return publicKey.length === 33 ? first === 2 || first === 3 : publicKey.length === 65 && first === 4;
}

/** The 33-byte form of a 65-byte public key (0x04 || x || y). */
export function compressSecp256k1Key(publicKey: Uint8Array): Uint8Array {
  const compressed = publicKey.slice(0, 33);
  compressed[0] = 2 + ((publicKey[64] ?? 0) & 1);
  return compressed;
}

/** True for 0 to 3: which of the points with this r, bit 0 the parity of y, bit 1 set when x passed the order. */
export function isRecoveryId(value: number): boolean {
  return value === 0 || value === 1 || value === 2 || value === 3;
}
