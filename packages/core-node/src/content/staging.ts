import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";

/** Content up to this size is staged in memory. */
const MEMORY_LIMIT_BYTES = 256 * 1024;

/** Bytes that were received and are not kept yet. */
export interface StagedBytes extends AsyncDisposable {
  readonly sizeBytes: number;
  read(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * Receives bytes into memory, or into a temporary file once they are many. An abort or a failing source leaves
 * nothing and is thrown on.
 */
export async function stageBytes(
  source: AsyncIterable<Uint8Array>,
  options: {
    readonly folder: string;
    readonly signal: AbortSignal;
    readonly observe?: (piece: Uint8Array) => void;
  },
): Promise<StagedBytes> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    options.signal.throwIfAborted();
    const next = await iterator.next();
    if (next.done === true) return inMemory(pieces, sizeBytes);
    options.observe?.(next.value);
    pieces.push(Uint8Array.from(next.value));
    sizeBytes += next.value.length;
    if (sizeBytes > MEMORY_LIMIT_BYTES) return await stageFile(pieces, sizeBytes, iterator, options);
  }
}

function inMemory(pieces: readonly Uint8Array[], sizeBytes: number): StagedBytes {
  return { sizeBytes, read: () => pieces, [Symbol.asyncDispose]: async () => undefined };
}

async function stageFile(
  pieces: readonly Uint8Array[],
  knownBytes: number,
  rest: AsyncIterator<Uint8Array>,
  options: {
    readonly folder: string;
    readonly signal: AbortSignal;
    readonly observe?: (piece: Uint8Array) => void;
  },
): Promise<StagedBytes> {
  await mkdir(options.folder, { recursive: true });
  const path = join(options.folder, randomUUID());
  const file = await open(path, "wx");
  let sizeBytes = knownBytes;
  try {
    for (const piece of pieces) await file.write(piece);
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      options.signal.throwIfAborted();
      options.observe?.(next.value);
      await file.write(next.value);
      sizeBytes += next.value.length;
    }
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
  await file.close();
  return {
    sizeBytes,
    read: () => createReadStream(path),
    [Symbol.asyncDispose]: async () => rm(path, { force: true }),
  };
}
