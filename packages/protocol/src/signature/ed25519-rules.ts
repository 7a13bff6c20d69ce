/**
 * The checks on bytes that libsodium makes before the curve equation. Other implementations of Ed25519 leave
 * some of them out, and a verifier that accepts one signature more than its peers splits the network.
 *
 * Source: libsodium `src/libsodium/crypto_sign/ed25519/ref10/open.c`, release 1.0.18.
 */

/** Group order L = 2^252 + 27742317777372353535851937790883648493, big endian. */
const GROUP_ORDER = bytesOf("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
/** Field prime p = 2^255 - 19, big endian. */
const FIELD_PRIME = bytesOf("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
/** The y coordinates of the points of order 1, 2, 4 and 8, non-canonical forms included; little endian, sign bit clear. */
const SMALL_ORDER_Y = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map(bytesOf);

/**
 * True when `signature` (R || S, 64 bytes) and `publicKey` (32 bytes) may go on to the curve equation: right
 * lengths, S below the group order, A canonical, neither A nor R of small order.
 */
export function passesEd25519Rules(signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  const r = signature.subarray(0, 32);
  return (
    isBelow(signature.subarray(32), GROUP_ORDER, 0xff) &&
    isBelow(publicKey, FIELD_PRIME, 0x7f) &&
    !hasSmallOrder(publicKey) &&
    !hasSmallOrder(r)
  );
}

/** Compares a little-endian number, its top byte masked, with a big-endian limit. */
function isBelow(littleEndian: Uint8Array, limit: Uint8Array, topMask: number): boolean {
  for (let index = 0; index < 32; index += 1) {
    const byte = (littleEndian[31 - index] ?? 0) & (index === 0 ? topMask : 0xff);
    const bound = limit[index] ?? 0;
    if (byte !== bound) return byte < bound;
  }
  return false;
}

function hasSmallOrder(point: Uint8Array): boolean {
  return SMALL_ORDER_Y.some((y) =>
    y.every((byte, index) => byte === ((point[index] ?? 0) & (index === 31 ? 0x7f : 0xff))),
  );
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  );
}
