import type { ByteSource } from "../blobs/byte-source.ts";
import { Chunker } from "../blobs/chunker.ts";
import { BlobError } from "../blobs/errors.ts";
import { combine, ReedSolomon } from "./reed-solomon.ts";
import { CELL_BYTES, type ErasureCode, stripesOf } from "./shard-layout.ts";

/** Cells of all shards that were asked for, one stripe after the other; valid until the next is asked for. */
export type Cells = ReadonlyMap<number, Uint8Array>;

/** Cuts a file into shards while it passes by; what is held of it is one stripe. */
export async function* cutShards(
  source: ByteSource,
  code: ErasureCode,
  positions: readonly number[],
): AsyncGenerator<Cells, void, undefined> {
  const { dataShards } = code;
  const coder = new ReedSolomon(dataShards, code.totalShards);
  const data = Array.from({ length: dataShards }, (_, index) => index);
  const recipes = new Map(positions.map((position) => [position, coder.recipe(position, data)]));
  const room = new Map(positions.map((position) => [position, new Uint8Array(CELL_BYTES)]));
  for await (const stripe of chunksOf(source, dataShards * CELL_BYTES)) {
    const cellBytes = Math.min(CELL_BYTES, Math.ceil(stripe.byteLength / dataShards));
    const cells = data.map((index) => cellOf(stripe, index, cellBytes));
    yield new Map(
      positions.map((position) => [
        position,
        combine(
          recipes.get(position) ?? new Uint8Array(),
          cells,
          (room.get(position) ?? new Uint8Array(CELL_BYTES)).subarray(0, cellBytes),
        ),
      ]),
    );
  }
}

/** Reads bytes of one shard. @throws BlobError BLOB_CORRUPT when it ends before */
export type ReadShard = (offsetBytes: number, lengthBytes: number) => Promise<Uint8Array>;

/**
 * Makes shards out of others.
 *
 * @param sources `dataShards` of the shards, by position
 */
export async function* remakeShards(
  sources: ReadonlyMap<number, ReadShard>,
  fileBytes: number,
  code: ErasureCode,
  positions: readonly number[],
): AsyncGenerator<Cells, void, undefined> {
  const coder = new ReedSolomon(code.dataShards, code.totalShards);
  const from = [...sources.keys()];
  const recipes = new Map(positions.map((position) => [position, coder.recipe(position, from)]));
  for (const { shardOffsetBytes, cellBytes } of stripesOf(fileBytes, code)) {
    const pieces = await Promise.all([...sources.values()].map((read) => read(shardOffsetBytes, cellBytes)));
    yield new Map(
      positions.map((position) => [
        position,
        combine(recipes.get(position) ?? new Uint8Array(), pieces, new Uint8Array(cellBytes)),
      ]),
    );
  }
}

/** Makes the file out of any `dataShards` of its shards, which must be right: nothing here tells a wrong one. */
export async function* joinShards(
  sources: ReadonlyMap<number, ReadShard>,
  fileBytes: number,
  code: ErasureCode,
): AsyncGenerator<Uint8Array, void, undefined> {
  const data = Array.from({ length: code.dataShards }, (_, index) => index);
  let left = fileBytes;
  for await (const cells of remakeShards(sources, fileBytes, code, data)) {
    for (const position of data) {
      const cell = cells.get(position)?.subarray(0, left);
      if (cell === undefined || cell.byteLength === 0) continue;
      left -= cell.byteLength;
      yield cell;
    }
  }
  if (left > 0) throw new BlobError("BLOB_CORRUPT", "the shards hold less than the file", { left });
}

/** A cell of a stripe; what it lacks at the end is zeros. */
function cellOf(stripe: Uint8Array, index: number, cellBytes: number): Uint8Array {
  const part = stripe.subarray(index * cellBytes, (index + 1) * cellBytes);
  if (part.byteLength === cellBytes) return part;
  const cell = new Uint8Array(cellBytes);
  cell.set(part);
  return cell;
}

async function* chunksOf(
  source: ByteSource,
  chunkBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const waiting: Uint8Array[] = [];
  const chunker = new Chunker(chunkBytes, (chunk) => waiting.push(chunk.slice()));
  for await (const piece of source) {
    chunker.update(piece);
    yield* waiting.splice(0);
  }
  chunker.finish();
  yield* waiting.splice(0).filter(({ byteLength }) => byteLength > 0);
}
