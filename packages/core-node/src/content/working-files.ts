import { createReadStream } from "node:fs";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";

/** A file that is being written, at any place of it. */
export interface WorkingFile extends AsyncDisposable {
  writeAt(offsetBytes: number, bytes: Uint8Array): Promise<void>;
  /** Fewer bytes only at the end of the file. */
  readAt(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
}

/**
 * Files that a node works with and may lose when the machine fails: what it is receiving, and pieces of files. Failures
 * are those of `node:fs`, with `code`.
 */
export interface WorkingFiles {
  /** Creates a folder and those above it, where they are missing. */
  makeFolder(path: string): Promise<void>;
  /** What stands in a folder. */
  list(folder: string): Promise<readonly { readonly name: string; readonly modifiedMs: number }[]>;
  /** Removes a file, or a folder with all in it; nothing happens when there is none. */
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  readWhole(path: string): Promise<Uint8Array>;
  writeWhole(path: string, bytes: Uint8Array): Promise<void>;
  /** Puts other bytes in the place of a file, whole or not at all; they are synced before. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** Creates a file that must not exist yet. */
  create(path: string): Promise<WorkingFile>;
  open(path: string): Promise<WorkingFile>;
  /** @param lengthBytes only so many from the beginning; all by default */
  stream(path: string, lengthBytes?: number): AsyncIterable<Uint8Array>;
}

/** Files on the disk of this machine. */
export const workingFilesOnDisk: WorkingFiles = {
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true });
  },
  list: async (folder) =>
    await Promise.all(
      (await readdir(folder)).map(async (name) => ({
        name,
        modifiedMs: (await stat(join(folder, name))).mtimeMs,
      })),
    ),
  remove: (path) => rm(path, { recursive: true, force: true }),
  rename,
  readWhole: (path) => readFile(path),
  writeWhole: (path, bytes) => writeFile(path, bytes),
  async replace(path, bytes) {
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  },
  create: async (path) => fileOf(await open(path, "wx+")),
  open: async (path) => fileOf(await open(path, "r+")),
  stream: (path, lengthBytes) =>
    createReadStream(path, lengthBytes === undefined ? {} : { end: lengthBytes - 1 }),
};

function fileOf(handle: FileHandle): WorkingFile {
  return {
    async writeAt(offsetBytes, bytes) {
      for (let written = 0; written < bytes.byteLength; ) {
        const { bytesWritten } = await handle.write(
          bytes,
          written,
          bytes.byteLength - written,
          offsetBytes + written,
        );
        written += bytesWritten;
      }
    },
    async readAt(offsetBytes, lengthBytes) {
      const buffer = Buffer.alloc(lengthBytes);
      const { bytesRead } = await handle.read(buffer, 0, lengthBytes, offsetBytes);
      return buffer.subarray(0, bytesRead);
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
