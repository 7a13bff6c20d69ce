import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { combine, ReedSolomon } from "../../src/erasure/reed-solomon.ts";
import { CELL_BYTES, type ErasureCode, shardBytes } from "../../src/erasure/shard-layout.ts";
import { cutShards, joinShards, type ReadShard, remakeShards } from "../../src/erasure/shard-streams.ts";

interface Vector extends ErasureCode {
  readonly shardBytes: number;
  readonly parity: readonly string[] | null;
  readonly paritySha256: readonly string[];
}

/** What klauspost/reedsolomon 1.12.4 (Go) makes of bytes that a formula gives. */
const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL("./fixtures/klauspost-vectors.json", import.meta.url), "utf8"),
);

const positionsOf = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** All choices of `count` out of `from`. */
function* choices(from: readonly number[], count: number): Generator<number[]> {
  if (count === 0) yield [];
  for (const [index, first] of from.entries())
    for (const rest of choices(from.slice(index + 1), count - 1)) if (count > 0) yield [first, ...rest];
}

async function shardsOf(bytes: Uint8Array, code: ErasureCode, pieceBytes = 10_007): Promise<Buffer[]> {
  const pieces = Array.from({ length: Math.ceil(bytes.byteLength / pieceBytes) }, (_, index) =>
    bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  );
  const cells: Buffer[][] = positionsOf(code.totalShards).map(() => []);
  for await (const stripe of cutShards(pieces, code, positionsOf(code.totalShards)))
    for (const [position, cell] of stripe) cells[position]?.push(Buffer.from(cell));
  return cells.map((one) => Buffer.concat(one));
}

const readersOf = (shards: readonly Buffer[], positions: readonly number[]): Map<number, ReadShard> =>
  new Map(
    positions.map((position) => [
      position,
      async (offset, length) => shards[position]?.subarray(offset, offset + length) ?? Buffer.alloc(0),
    ]),
  );

describe("Reed–Solomon", () => {
  for (const { dataShards, totalShards, shardBytes: length, parity, paritySha256 } of vectors) {
    test(`${dataShards} of ${totalShards} shards are those of another implementation`, () => {
      const coder = new ReedSolomon(dataShards, totalShards);
      const data = positionsOf(dataShards).map((i) =>
        Uint8Array.from({ length }, (_, j) => (i * 131 + j * j * 7 + j * 29 + i * i * j) % 256),
      );
      const made = positionsOf(totalShards - dataShards).map((index) =>
        combine(coder.recipe(dataShards + index, positionsOf(dataShards)), data, new Uint8Array(length)),
      );
      if (parity !== null)
        assert.deepEqual(
          made.map((one) => Buffer.from(one).toString("hex")),
          parity,
        );
      assert.deepEqual(
        made.map((one) => createHash("sha256").update(one).digest("hex")),
        paritySha256,
      );
    });
  }

  test("there is no code of more than 255 shards, of none, or without one to spare", () => {
    for (const [data, total] of [
      [0, 3],
      [3, 3],
      [4, 3],
      [4, 256],
    ] as const)
      assert.throws(() => new ReedSolomon(data, total), RangeError);
    assert.throws(() => new ReedSolomon(2, 4).recipe(3, [0, 0]), RangeError);
    assert.throws(() => new ReedSolomon(2, 4).recipe(4, [0, 1]), RangeError);
  });
});

describe("shards of a file", () => {
  test("any dataShards of them give the file, whichever", async () => {
    for (const [dataShards, totalShards] of [
      [1, 3],
      [2, 3],
      [3, 5],
      [4, 6],
      [4, 8],
    ] as const) {
      const code = { dataShards, totalShards };
      const bytes = Buffer.from(positionsOf(dataShards * 100 + 7).map((value) => (value * value + 3) % 256));
      const shards = await shardsOf(bytes, code);
      for (const chosen of choices(positionsOf(totalShards), dataShards)) {
        const joined = await Array.fromAsync(joinShards(readersOf(shards, chosen), bytes.byteLength, code));
        assert.ok(Buffer.concat(joined).equals(bytes), `${chosen} of ${totalShards}`);
      }
    }
  });

  test("of any size, cut in any pieces, they give the file and each other", async () => {
    const code = fc.integer({ min: 1, max: 12 }).chain((dataShards) =>
      fc.record({
        dataShards: fc.constant(dataShards),
        totalShards: fc.integer({ min: dataShards + 1, max: dataShards + 8 }),
      }),
    );
    const size = fc.oneof(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 2 * CELL_BYTES - 3, max: 2 * CELL_BYTES + 3 }),
      fc.integer({ min: 1, max: 9 * CELL_BYTES }),
    );
    await fc.assert(
      fc.asyncProperty(
        code,
        size,
        fc.nat(),
        fc.integer({ min: 1, max: 300_000 }),
        async (c, n, seed, piece) => {
          const bytes = Buffer.alloc(n, createHash("sha512").update(String(seed)).digest());
          const shards = await shardsOf(bytes, c, piece);
          for (const shard of shards) assert.equal(shard.byteLength, shardBytes(n, c));
          const order = positionsOf(c.totalShards).sort(
            (a, b) => ((a * 7 + seed) % 11) - ((b * 7 + seed) % 11),
          );
          const readers = readersOf(shards, order.slice(0, c.dataShards));
          assert.ok(Buffer.concat(await Array.fromAsync(joinShards(readers, n, c))).equals(bytes));
          const [lost = 0] = order.slice(c.dataShards);
          const remade: Buffer[] = [];
          for await (const cells of remakeShards(readers, n, c, [lost]))
            remade.push(Buffer.from(cells.get(lost) ?? []));
          assert.ok(Buffer.concat(remade).equals(shards[lost] ?? Buffer.alloc(0)));
        },
      ),
      { numRuns: 20 },
    );
  });
});
