/**
 * The bytes of a file. A `Blob` (a browser's `File`, or a file on disk through the `/node` entry) is read in
 * pieces and never held in memory as a whole.
 */
export type FileSource = Blob | Uint8Array;

/** Also the chunk size of UnixFS. */
export const CHUNK_BYTES = 262_144;

export function fileSizeBytes(file: FileSource): number {
  return file instanceof Blob ? file.size : file.byteLength;
}

/** The file in pieces of exactly `CHUNK_BYTES`, the last one shorter; an empty file has none. */
export async function* fileChunks(file: FileSource): AsyncGenerator<Uint8Array> {
  const sizeBytes = fileSizeBytes(file);
  for (let start = 0; start < sizeBytes; start += CHUNK_BYTES) {
    const end = Math.min(start + CHUNK_BYTES, sizeBytes);
    yield file instanceof Blob
      ? new Uint8Array(await file.slice(start, end).arrayBuffer())
      : file.subarray(start, end);
  }
}

/** The file as a part of a form. */
export function fileBlob(file: FileSource): Blob {
  return file instanceof Blob ? file : new Blob([new Uint8Array(file)]);
}
