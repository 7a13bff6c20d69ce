import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileEngine } from "../../../src/blobs/file-engine.ts";
import { sha256 } from "../bytes.ts";
import type { EngineTraits } from "./tested-engine.ts";

export const filesOnDisk: EngineTraits = {
  name: "files on disk",
  skip: false,
  verifiesReads: false,
  readsOutliveDeletion: true,
  async fresh(folder) {
    const pathOf = (bytes: Uint8Array): string =>
      join(folder, "files", sha256(bytes).slice(0, 2), sha256(bytes));
    return {
      engine: fileEngine,
      async held() {
        const entries = await readdir(folder, { recursive: true, withFileTypes: true });
        const files = entries.filter((entry) => entry.isFile());
        const paths = files.map((file) => relative(folder, join(file.parentPath, file.name)));
        return paths.filter((path) => !path.startsWith("index.sqlite")).sort();
      },
      async damage(bytes, offsetBytes) {
        const stored = await readFile(pathOf(bytes));
        stored[offsetBytes] = (stored[offsetBytes] ?? 0) ^ 1;
        await writeFile(pathOf(bytes), stored);
      },
      lose: (bytes) => rm(pathOf(bytes)),
    };
  },
};
