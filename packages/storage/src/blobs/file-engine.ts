import { join } from "node:path";
import type { BlobEngine, BlobStores, EnginePlace } from "./blob-engine.ts";
import { FileBlobStore } from "./file-blob-store.ts";

/** Plain files on the disk of this machine, under `files` and `packs`. */
export const fileEngine: BlobEngine = {
  async open({ folder, fileSystem, budget, readOnly = false, signal }: EnginePlace): Promise<BlobStores> {
    const shared = { fileSystem, budget, readOnly, ...(signal === undefined ? {} : { signal }) };
    const files = await FileBlobStore.open({ ...shared, folder: join(folder, "files") });
    const packs = await FileBlobStore.open({ ...shared, folder: join(folder, "packs") });
    return {
      files,
      packs,
      server: null,
      async [Symbol.asyncDispose]() {
        await files[Symbol.asyncDispose]();
        await packs[Symbol.asyncDispose]();
      },
    };
  },
};
