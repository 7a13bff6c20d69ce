import { join } from "node:path";
import { BlobError, type ContentReader, type ContentStore } from "@twentysix/storage";
import type { DataPaths } from "../data-paths.ts";
import type { PipelineOptions } from "../pipeline/pipeline-options.ts";
import type { ReadBlob } from "../pipeline/writer/blob-contents.ts";

/**
 * Whole contents out of a content store; null for what it does not have, or not as it was.
 * @throws BlobError BLOB_SERVER_…: whether it has it could not be found out
 */
export function readBlobsFrom(files: Pick<ContentReader["files"], "get">): ReadBlob {
  return async (sha256, _sizeBytes, signal) => {
    try {
      const pieces = files.get(sha256, signal === undefined ? {} : { signal });
      return Buffer.concat(await Array.fromAsync(pieces));
    } catch (error) {
      if (error instanceof BlobError && LOST.has(error.code)) return null;
      throw error;
    }
  };
}

const LOST: ReadonlySet<string> = new Set(["BLOB_NOT_FOUND", "BLOB_CORRUPT"]);

/** How the writer reads contents: by itself from the disk of this machine, else through this thread. */
export function blobsFor(
  contents: ContentStore,
  paths: Pick<DataPaths, "contents">,
): PipelineOptions["blobs"] {
  if (contents.server === null) return { folder: join(paths.contents, "files") };
  return { read: readBlobsFrom(contents.files) };
}
