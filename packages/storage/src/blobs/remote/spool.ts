import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import type { ByteSource } from "../byte-source.ts";
import { BlobError } from "../errors.ts";
import type { FileSystem } from "../file-system.ts";
import { type ChunkDigests, ChunkHasher } from "./chunk-digests.ts";

const READ_BYTES = 256 * 1024;

/** Bytes on their way to a server: whole and hashed on this disk, so that they can be sent more than once. */
export interface SpooledBytes extends AsyncDisposable {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly chunkDigests: ChunkDigests;
  /** All of them from the start; BLOB_CORRUPT before the last piece when this disk gives back something else. */
  read(): AsyncGenerator<Uint8Array, void, undefined>;
}

/** Writes a stream into a temporary file in `folder`, one piece at a time; nothing is left when it fails. */
export async function spool(
  fileSystem: FileSystem,
  folder: string,
  source: ByteSource,
): Promise<SpooledBytes> {
  const path = join(folder, randomUUID());
  const file = await fileSystem.create(path);
  const remove = async (): Promise<void> => {
    await fileSystem.unlink(path);
  };
  try {
    const hash = createHash("sha256");
    const chunks = new ChunkHasher();
    let sizeBytes = 0;
    for await (const piece of source) {
      sizeBytes += piece.byteLength;
      hash.update(piece);
      chunks.update(piece);
      await file.write(piece);
    }
    await file.close();
    const sha256 = hash.digest("hex");
    return {
      sha256,
      sizeBytes,
      chunkDigests: chunks.finish(),
      read: () => readAgain(fileSystem, path, sha256, sizeBytes),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await file.close().catch(() => undefined); // it may be closed already, and the first failure says more
    await remove();
    throw error;
  }
}

/** The file is not synced, so what comes back is held against its hash before its end is passed on. */
async function* readAgain(
  fileSystem: FileSystem,
  path: string,
  sha256: string,
  sizeBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await fileSystem.openRead(path);
  if (file === undefined) throw new BlobError("BLOB_CORRUPT", "the bytes on their way are gone", { sha256 });
  try {
    const hash = createHash("sha256");
    for (let offset = 0; offset < sizeBytes; ) {
      const buffer = new Uint8Array(Math.min(READ_BYTES, sizeBytes - offset));
      const filled = await file.read(buffer, offset);
      hash.update(buffer.subarray(0, filled));
      offset += filled;
      const isChanged = filled === 0 || (offset === sizeBytes && hash.digest("hex") !== sha256);
      if (isChanged) {
        throw new BlobError("BLOB_CORRUPT", "this disk changed bytes on their way: upload again", { sha256 });
      }
      yield buffer.subarray(0, filled);
    }
  } finally {
    await file.close();
  }
}
