import { raceAbort } from "@twentysix/platform";
import { BlobError } from "./errors.ts";

/** Bytes in any number of pieces. A piece belongs to the consumer until it asks for the next. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * The pieces of `source`, ended with the signal's reason when it aborts, even while the source keeps silent.
 *
 * The source is told to stop but not waited for: one that hangs would hang its consumer too.
 */
export async function* abortable<T>(
  source: AsyncIterable<T> | Iterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted();
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let isDone = false;
  try {
    while (true) {
      const next = await raceAbort(Promise.resolve(iterator.next()), signal);
      if (next.done === true) {
        isDone = true;
        return;
      }
      yield next.value;
      signal?.throwIfAborted();
    }
  } finally {
    if (!isDone) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

/**
 * The same pieces, ended with BLOB_SIZE_EXCEEDED once they are more than `maxSizeBytes`.
 */
export async function* limitBytes(
  source: ByteSource,
  maxSizeBytes: number | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0;
  for await (const piece of source) {
    sizeBytes += piece.byteLength;
    if (maxSizeBytes !== undefined && sizeBytes > maxSizeBytes) {
      throw new BlobError(
        "BLOB_SIZE_EXCEEDED",
        `the content is larger than the ${maxSizeBytes} bytes allowed`,
        {
          maxSizeBytes,
          sizeBytes,
        },
      );
    }
    yield piece;
  }
}
