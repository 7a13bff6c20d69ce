import { openAsBlob } from "node:fs";

/**
 * A file on disk as a source for uploads, read in pieces when it is sent. A file that changes after this call
 * cannot be read any more. Rejects with the file system's error when there is no such file.
 *
 * @example
 * await client.storeFile({ account, file: await openFile("./site.tar") });
 */
export function openFile(path: string): Promise<Blob> {
  return openAsBlob(path);
}
