import { join } from "node:path";
import type { Timers } from "@twentysix/platform";
import { assertBlobName, BlobPaths } from "./blob-paths.ts";
import type { BlobReader, BlobStore, GetOptions } from "./blob-store.ts";
import type { BlockIndex } from "./block-index.ts";
import { exportCar } from "./car-writer.ts";
import { parseCid } from "./cids.ts";
import type { DagImportOptions } from "./dag-import.ts";
import { BlobError } from "./errors.ts";
import { FileBlobReader } from "./file-blob-reader.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { SqliteBlockIndex } from "./sqlite-block-index.ts";
import { StoredBlocks } from "./stored-blocks.ts";

/** Reads what is in the folder of a content store that another process may have open; changes nothing there. */
export class ContentReader implements AsyncDisposable {
  /** Where the files stand by SHA-256: see `blobFilePath`. */
  readonly filesFolder: string;
  readonly #files: Pick<BlobStore, "open">;
  readonly #blocks: StoredBlocks;
  readonly #index: BlockIndex | null;

  private constructor(folder: string, index: BlockIndex | null) {
    this.filesFolder = join(folder, "files");
    this.#files = blobsIn(this.filesFolder);
    this.#index = index;
    const places = index ?? { locate: async () => [] };
    this.#blocks = new StoredBlocks(places, { file: this.#files, pack: blobsIn(join(folder, "packs")) });
  }

  /** A folder that is not there holds nothing. */
  static async open(folder: string, timers: Pick<Timers, "sleep">): Promise<ContentReader> {
    const path = join(folder, "index.sqlite");
    const isThere = (await nodeFileSystem.stat(path)) !== undefined;
    return new ContentReader(folder, isThere ? new SqliteBlockIndex(path, timers, { readOnly: true }) : null);
  }

  /** @throws BlobError BLOB_NOT_FOUND, BLOB_CORRUPT for a file that is shorter than it was */
  async *readFile(sha256: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    await using reader = await this.#files.open(sha256, options.signal);
    if (reader === undefined) throw new BlobError("BLOB_NOT_FOUND", "this file is not held", { sha256 });
    yield* reader.read(options);
  }

  /** A DAG as a CARv1 stream; each block is verified as it is read. @throws BlobError as `exportCar` */
  exportCar(root: string, options: DagImportOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    return exportCar(parseCid(root), this.#blocks, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#index?.[Symbol.asyncDispose]();
  }
}

function blobsIn(folder: string): Pick<BlobStore, "open"> {
  const paths = new BlobPaths(folder);
  return {
    async open(sha256): Promise<BlobReader | undefined> {
      assertBlobName(sha256);
      const file = await nodeFileSystem.openRead(paths.blob(sha256));
      return file === undefined ? undefined : new FileBlobReader(sha256, file);
    },
  };
}
