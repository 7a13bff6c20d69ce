import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { ApiError } from "../api/errors.ts";
import type { DiskReservation } from "../services/budgets.ts";
import type { WorkingFiles } from "./working-files.ts";

/** Content up to this size is staged in memory. */
const MEMORY_LIMIT_BYTES = 256 * 1024;

/** Bytes that were received and are not kept yet. */
export interface StagedBytes extends AsyncDisposable {
  readonly sizeBytes: number;
  read(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface StagingOptions {
  readonly folder: string;
  readonly files: WorkingFiles;
  readonly signal: AbortSignal;
  /** Room for what goes to the disk; ends with the staged bytes. */
  readonly reservation: DiskReservation;
  readonly observe?: (piece: Uint8Array) => void;
}

/**
 * Receives bytes into memory, or into a temporary file once they are many. An abort or a failing source leaves
 * nothing and is thrown on.
 *
 * @throws ApiError API_STORAGE_FULL
 */
export async function stageBytes(
  source: AsyncIterable<Uint8Array>,
  options: StagingOptions,
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
  options: StagingOptions,
): Promise<StagedBytes> {
  const { folder, files, reservation } = options;
  await files.makeFolder(folder);
  const path = join(folder, randomUUID());
  const remove = async (): Promise<void> => {
    await files.remove(path);
    reservation[Symbol.dispose]();
  };
  try {
    reservation.grow(knownBytes);
    const restBytes = await writeStaged(path, pieces, rest, options);
    return {
      sizeBytes: knownBytes + restBytes,
      read: () => files.stream(path),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw diskFullError(error);
  }
}

/** Gives the bytes of `rest`. */
async function writeStaged(
  path: string,
  pieces: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  { files, signal, reservation, observe }: StagingOptions,
): Promise<number> {
  await using file = await files.create(path);
  let offsetBytes = 0;
  const append = async (piece: Uint8Array): Promise<void> => {
    await file.writeAt(offsetBytes, piece);
    offsetBytes += piece.length;
  };
  for (const piece of pieces) await append(piece);
  const knownBytes = offsetBytes;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    signal.throwIfAborted();
    observe?.(next.value);
    reservation.grow(next.value.length);
    await append(next.value);
  }
  return offsetBytes - knownBytes;
}

function diskFullError(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new ApiError("API_STORAGE_FULL", "The disk of this node is full: upload to another node", { code });
}
