import { join } from "node:path";
import type { Timers } from "@twentysix/platform";
import type { BlobEngine, BlobStores } from "./blob-engine.ts";
import type { BlobStore, GetOptions } from "./blob-store.ts";
import type { BlockIndex } from "./block-index.ts";
import { exportCar } from "./car-writer.ts";
import { parseCid } from "./cids.ts";
import type { DagImportOptions } from "./dag-import.ts";
import { DiskBudget } from "./disk-budget.ts";
import { fileEngine } from "./file-engine.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { SqliteBlockIndex } from "./sqlite-block-index.ts";
import { StoredBlocks } from "./stored-blocks.ts";

export interface ContentReaderOptions {
  /** Absolute path of the folder of the content store. */
  readonly folder: string;
  readonly timers: Pick<Timers, "sleep">;
  /** What keeps the bytes; plain files in the folder by default. */
  readonly engine?: BlobEngine;
}

/** Reads what a content store holds that another process may have open; changes nothing there. */
export class ContentReader implements AsyncDisposable {
  /** The files by SHA-256. */
  readonly files: Pick<BlobStore, "open" | "get">;
  readonly #stores: BlobStores;
  readonly #blocks: StoredBlocks;
  readonly #index: BlockIndex | null;

  private constructor(stores: BlobStores, index: BlockIndex | null) {
    this.files = stores.files;
    this.#stores = stores;
    this.#index = index;
    const places = index ?? { locate: async () => [] };
    this.#blocks = new StoredBlocks(places, { file: stores.files, pack: stores.packs });
  }

  /** A folder that is not there holds nothing. */
  static async open(options: ContentReaderOptions): Promise<ContentReader> {
    const { folder, timers, engine = fileEngine } = options;
    const fileSystem = nodeFileSystem;
    const budget = new DiskBudget({ freeBytes: () => fileSystem.freeBytes(folder) });
    const stores = await engine.open({ folder, fileSystem, budget, readOnly: true });
    const path = join(folder, "index.sqlite");
    const isThere = (await fileSystem.stat(path)) !== undefined;
    return new ContentReader(stores, isThere ? new SqliteBlockIndex(path, timers, { readOnly: true }) : null);
  }

  /** @throws BlobError BLOB_NOT_FOUND, BLOB_CORRUPT for a file that is shorter than it was */
  readFile(sha256: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    return this.files.get(sha256, options);
  }

  /** A DAG as a CARv1 stream; each block is verified as it is read. @throws BlobError as `exportCar` */
  exportCar(root: string, options: DagImportOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    return exportCar(parseCid(root), this.#blocks, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stores[Symbol.asyncDispose]();
    await this.#index?.[Symbol.asyncDispose]();
  }
}
