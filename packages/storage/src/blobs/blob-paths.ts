import { join } from "node:path";
import { BlobError } from "./errors.ts";

const SHA256_HEX = /^[0-9a-f]{64}$/;

/** The 256 sub-folders, named by the first two digits of what they hold, in order. */
export const SHARDS: readonly string[] = Array.from({ length: 256 }, (_, index) =>
  index.toString(16).padStart(2, "0"),
);

/** Where things stand under the folder of a blob store. */
export class BlobPaths {
  readonly root: string;
  readonly temporary: string;

  constructor(root: string) {
    this.root = root;
    this.temporary = join(root, "tmp");
  }

  shard(shard: string): string {
    return join(this.root, shard);
  }

  shardOf(sha256: string): string {
    return this.shard(sha256.slice(0, 2));
  }

  blob(sha256: string): string {
    return join(this.shardOf(sha256), sha256);
  }
}

export function isBlobName(text: string): boolean {
  return SHA256_HEX.test(text);
}

/** Refuses anything that is not a SHA-256 in lower-case hexadecimal: it would become a path. */
export function assertBlobName(text: string): void {
  if (isBlobName(text)) return;
  throw new BlobError("BLOB_NAME_INVALID", "a blob is named by 64 lower-case hexadecimal digits", {
    name: text.slice(0, 100),
  });
}

/** The file that holds a blob of the store under `root`, for a reader of its own. */
export function blobFilePath(root: string, sha256: string): string {
  assertBlobName(sha256);
  return new BlobPaths(root).blob(sha256);
}
