import { raceAbort } from "@twentysix/platform";

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

/** All bytes of a source that is known to be small; `maxBytes` is the proof. */
export async function collectBytes(source: ByteSource, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of source) {
    sizeBytes += piece.byteLength;
    if (sizeBytes > maxBytes) throw new RangeError(`more than the ${maxBytes} bytes that were expected`);
    pieces.push(piece.slice());
  }
  return Buffer.concat(pieces, sizeBytes);
}
