import { encodeHex } from "@twentysix/protocol";
import { type FileSource, fileChunks } from "./file-source.ts";

/** SHA-256 that takes its input in pieces. */
export interface Sha256Hasher {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

export type CreateSha256 = () => Sha256Hasher;

/** SHA-256 of a file as 64 lower-case hexadecimal digits, read in pieces. */
export async function sha256OfFile(
  file: FileSource,
  createSha256: CreateSha256,
  signal?: AbortSignal,
): Promise<string> {
  const hasher = createSha256();
  for await (const chunk of fileChunks(file)) {
    signal?.throwIfAborted();
    hasher.update(chunk);
  }
  return encodeHex(hasher.digest());
}
