/** A code: any `dataShards` of `totalShards` shards give a file. */
export interface ErasureCode {
  readonly dataShards: number;
  readonly totalShards: number;
}

/** Bytes of a shard in one stripe; those of the last stripe are fewer. */
export const CELL_BYTES = 64 * 1024;

/**
 * How the bytes of a file lie in its shards. The file is a row of stripes of `dataShards` cells of 64 KiB, the first
 * cell in shard 0 and so on. Cells of the last stripe are just as long as they have to be, the last of them filled up
 * with zeros. So the file is read, and made again, in one pass that holds one stripe.
 */
export interface Stripe {
  /** Where it begins in the file, and where each of its cells does in a shard. */
  readonly fileOffsetBytes: number;
  readonly shardOffsetBytes: number;
  /** Bytes of the file in it. */
  readonly contentBytes: number;
  readonly cellBytes: number;
}

/** Bytes of each shard of a file. */
export function shardBytes(fileBytes: number, { dataShards }: Pick<ErasureCode, "dataShards">): number {
  const whole = Math.floor(fileBytes / (dataShards * CELL_BYTES));
  const rest = fileBytes - whole * dataShards * CELL_BYTES;
  return whole * CELL_BYTES + Math.ceil(rest / dataShards);
}

/** The stripes of a file, in their order. */
export function* stripesOf(
  fileBytes: number,
  { dataShards }: Pick<ErasureCode, "dataShards">,
): Generator<Stripe, void, undefined> {
  const stripeBytes = dataShards * CELL_BYTES;
  for (let index = 0; index * stripeBytes < fileBytes; index += 1) {
    const fileOffsetBytes = index * stripeBytes;
    const contentBytes = Math.min(stripeBytes, fileBytes - fileOffsetBytes);
    yield {
      fileOffsetBytes,
      shardOffsetBytes: index * CELL_BYTES,
      contentBytes,
      cellBytes: Math.min(CELL_BYTES, Math.ceil(contentBytes / dataShards)),
    };
  }
}
