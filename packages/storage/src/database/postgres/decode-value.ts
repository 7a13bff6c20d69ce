/** Types by their object identifiers. Source: PostgreSQL, `src/include/catalog/pg_type.dat`. */
const BOOL = 16;
const BYTEA = 17;
const INTEGERS: ReadonlySet<number> = new Set([20, 21, 23, 26]);
const NUMERIC = 1700;

/** One value as the server writes it. */
export type WireValue = string | null;
export type DecodedValue = null | number | bigint | string | Uint8Array;

/**
 * A value as the other engine gives it: integers as numbers or bigints, truth values as 0 and 1, bytes as bytes.
 *
 * @throws RangeError for an integer that a number cannot hold, where numbers are wanted
 */
export function decodeValue(value: WireValue, type: number, isBig: boolean): DecodedValue {
  if (value === null) return null;
  if (INTEGERS.has(type) || (type === NUMERIC && !value.includes("."))) return integerOf(value, isBig);
  if (type === BOOL) return isBig ? BigInt(value === "t") : Number(value === "t");
  if (type === BYTEA) return bytesOf(value);
  return value;
}

function integerOf(value: string, isBig: boolean): number | bigint {
  if (isBig) return BigInt(value);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${value} is too large to be read as a number`);
  return number;
}

/** Not out of a pool: a view of a pool would take all of it along between threads. */
function bytesOf(value: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(value.slice(2), "hex"));
}
