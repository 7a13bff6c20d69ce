import {
  constants,
  type FileHandle,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  statfs,
  unlink,
} from "node:fs/promises";
import { dirname } from "node:path";
import type { FileStat, FileSystem, ReadableFile, WritableFile } from "./file-system.ts";

/** The real disk. */
export const nodeFileSystem: FileSystem = {
  async openRead(path) {
    const handle = await orMissing(open(path, constants.O_RDONLY));
    return handle === undefined ? undefined : readableFile(handle);
  },
  async create(path) {
    return writableFile(await open(path, "wx"));
  },
  rename,
  async unlink(path) {
    return (await orMissing(unlink(path).then(() => true))) ?? false;
  },
  makeDirectory,
  async syncDirectory(path) {
    const handle = await open(path, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  readDirectory: (path) => readdir(path),
  async stat(path): Promise<FileStat | undefined> {
    const found = await orMissing(stat(path));
    return found?.isFile() ? { sizeBytes: found.size, modifiedMs: found.mtimeMs } : undefined;
  },
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

/**
 * Level by level: the runtime's own `recursive` never ends where a parent stands and refuses with ENOENT, as those
 * of /proc do.
 */
async function makeDirectory(path: string): Promise<string | undefined> {
  if (await isDirectory(path)) return undefined;
  const firstNew = dirname(path) === path ? undefined : await makeDirectory(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    // Somebody else may have been faster.
    if (!(await isDirectory(path))) throw error;
  }
  return firstNew ?? path;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await orMissing(stat(path)))?.isDirectory() === true;
}

async function readableFile(handle: FileHandle): Promise<ReadableFile> {
  const { size } = await handle.stat();
  return {
    sizeBytes: size,
    async read(buffer, positionBytes) {
      let filled = 0;
      while (filled < buffer.byteLength) {
        const { bytesRead } = await handle.read(
          buffer,
          filled,
          buffer.byteLength - filled,
          positionBytes + filled,
        );
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    close: () => handle.close(),
  };
}

function writableFile(handle: FileHandle): WritableFile {
  return {
    async write(bytes) {
      let written = 0;
      while (written < bytes.byteLength) {
        const { bytesWritten } = await handle.write(bytes, written, bytes.byteLength - written);
        written += bytesWritten;
      }
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

/** Undefined in place of the failure that says the path is not there. */
async function orMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
