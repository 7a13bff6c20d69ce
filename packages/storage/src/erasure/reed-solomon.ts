import { addMultiple, inverseOf, multiply, power } from "./galois-field.ts";

/** Rows of coefficients. */
type Matrix = readonly Uint8Array[];

/** Shards that a code may have: each is a number of GF(2^8). */
export const MAX_TOTAL_SHARDS = 255;

/**
 * Reed–Solomon: `dataShards` pieces of equal length become `totalShards`, any `dataShards` of which give all others. The
 * first are the pieces themselves. The rows are those of a Vandermonde matrix made systematic, as in Backblaze's
 * JavaReedSolomon and in klauspost/reedsolomon, whose shards are the same bytes.
 *
 * It is written here because no library was found that is kept up, typed and loads on Node: of the two WebAssembly
 * builds one is two years old, and the other's module cannot find its own binary.
 */
export class ReedSolomon {
  readonly dataShards: number;
  readonly totalShards: number;
  readonly #rows: Matrix;

  /** @throws RangeError unless 1 <= dataShards < totalShards <= 255 */
  constructor(dataShards: number, totalShards: number) {
    if (!(dataShards >= 1 && dataShards < totalShards && totalShards <= MAX_TOTAL_SHARDS))
      throw new RangeError(`there is no code of ${dataShards} of ${totalShards} shards`);
    this.dataShards = dataShards;
    this.totalShards = totalShards;
    const vandermonde = Array.from({ length: totalShards }, (_row, x) =>
      Uint8Array.from({ length: dataShards }, (_column, exponent) => power(x, exponent)),
    );
    this.#rows = product(vandermonde, inverted(vandermonde.slice(0, dataShards)));
  }

  /**
   * How a shard is made of others: one coefficient for each of `from`, in their order.
   *
   * @param from positions of `dataShards` different shards
   * @throws RangeError for another number of them
   */
  recipe(position: number, from: readonly number[]): Uint8Array {
    if (from.length !== this.dataShards || new Set(from).size !== from.length)
      throw new RangeError(`a shard is made of ${this.dataShards} others, not of ${from.length}`);
    const known = from.map((one) => this.#row(one));
    const [row = new Uint8Array()] = product([this.#row(position)], inverted(known));
    return row;
  }

  #row(position: number): Uint8Array {
    const row = this.#rows[position];
    if (row === undefined) throw new RangeError(`there is no shard ${position} of ${this.totalShards}`);
    return row;
  }
}

/** Adds pieces up by a recipe. All have one length. */
export function combine(recipe: Uint8Array, pieces: readonly Uint8Array[], sum: Uint8Array): Uint8Array {
  sum.fill(0);
  for (const [index, piece] of pieces.entries()) addMultiple(sum, piece, recipe[index] ?? 0);
  return sum;
}

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) =>
    Uint8Array.from({ length: b[0]?.length ?? 0 }, (_column, column) =>
      row.reduce((sum, value, index) => sum ^ multiply(value, b[index]?.[column] ?? 0), 0),
    ),
  );
}

/** By Gauss and Jordan. Any rows of different shards can be inverted. */
function inverted(matrix: Matrix): Matrix {
  const size = matrix.length;
  const rows = matrix.map((row, index) => {
    const wide = new Uint8Array(2 * size);
    wide.set(row);
    wide[size + index] = 1;
    return wide;
  });
  for (let column = 0; column < size; column += 1) {
    const pivot = rows.findIndex((row, index) => index >= column && row[column] !== 0);
    const row = rows[pivot];
    if (row === undefined) throw new RangeError("the matrix has no inverse");
    const [other = row] = rows.splice(column, 1, row);
    if (pivot !== column) rows[pivot] = other;
    const scale = inverseOf(row[column] ?? 0);
    for (let index = 0; index < row.length; index += 1) row[index] = multiply(row[index] ?? 0, scale);
    for (const target of rows) if (target !== row) addMultiple(target, row, target[column] ?? 0);
  }
  return rows.map((row) => row.slice(size));
}
