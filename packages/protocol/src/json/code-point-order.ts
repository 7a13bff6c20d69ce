/**
 * Compares two texts by Unicode code points, the order of Python and Rust strings (and of UTF-8 bytes).
 *
 * JavaScript's own order compares UTF-16 units, which puts U+1F600 before U+FF5E.
 */
export function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return orderOfUnit(a) - orderOfUnit(b);
  }
  return left.length - right.length;
}

/** Lifts surrogates above the rest of the basic plane. */
function orderOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
