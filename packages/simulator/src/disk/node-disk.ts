import type { NodeDisk, WorkingFile, WorkingFiles } from "@twentysix/core-node/simulated";
import type { Random, Timers } from "@twentysix/platform";
import type { FileSystem } from "@twentysix/storage";
import { between } from "../random-for.ts";
import type { DiskFile, SimulatedDisk } from "./simulated-disk.ts";

export interface NodeDiskOptions {
  readonly disk: SimulatedDisk;
  /** Of the process that uses the disk: what it waits for never comes once it has ended. */
  readonly timers: Timers;
  readonly random: Random;
  /** What the node calls its folder; the disk has the rest of each path. */
  readonly dataDir: string;
}

const MIN_SYNC_MS = 0.1;
const MAX_SYNC_MS = 6;
const READ_BYTES = 256 * 1024;
const FREE_BYTES = 2 ** 50;

/** A simulated disk as a node uses it: syncs take their time, and a crash may come before they end. */
export function nodeDisk(options: NodeDiskOptions): NodeDisk {
  const { disk } = options;
  const inside = (path: string): string => path.slice(options.dataDir.length);
  return {
    files: workingFiles(options, inside),
    fileSystem: fileSystem(options, inside),
    makeFolder: async (path) => void disk.makeFolder(inside(path)),
    removeFolder: async (path) => void disk.remove(inside(path)),
    usedBytes: () => 0,
    freeBytes: () => FREE_BYTES,
  };
}

const syncing = ({ timers, random }: NodeDiskOptions): Promise<void> =>
  timers.sleep(between(random, MIN_SYNC_MS, MAX_SYNC_MS));

function fileSystem(options: NodeDiskOptions, inside: (path: string) => string): FileSystem {
  const { disk } = options;
  return {
    async openRead(path) {
      const node = disk.find(inside(path));
      if (node?.kind !== "file") return undefined;
      const { live } = node;
      return {
        sizeBytes: live.sizeBytes,
        read: async (buffer, position) => live.read(buffer, position),
        close: async () => undefined,
      };
    },
    async create(path) {
      const file = disk.create(inside(path));
      return {
        write: async (bytes) => disk.write(file, file.live.sizeBytes, bytes),
        async sync() {
          const { live } = file;
          await syncing(options);
          file.durable = live;
        },
        close: async () => undefined,
      };
    },
    rename: async (from, to) => disk.rename(inside(from), inside(to)),
    unlink: async (path) => disk.remove(inside(path)),
    makeDirectory: async (path) => {
      const firstNew = disk.makeFolder(inside(path));
      return firstNew === undefined ? undefined : path.slice(0, path.length - inside(path).length) + firstNew;
    },
    async syncDirectory(path) {
      const node = disk.find(inside(path));
      if (node?.kind !== "folder") return;
      // Taken at the start: what is renamed while the sync runs is not covered by it.
      const names = new Map(node.live);
      await syncing(options);
      node.durable = names;
    },
    readDirectory: async (path) => [...disk.folder(inside(path)).live.keys()],
    async stat(path) {
      const node = disk.find(inside(path));
      return node?.kind === "file"
        ? { sizeBytes: node.live.sizeBytes, modifiedMs: node.modifiedMs }
        : undefined;
    },
    freeBytes: async () => FREE_BYTES,
  };
}

function workingFiles(options: NodeDiskOptions, inside: (path: string) => string): WorkingFiles {
  const { disk } = options;
  const opened = (file: DiskFile): WorkingFile => ({
    writeAt: async (offset, bytes) => disk.write(file, offset, bytes),
    readAt: async (offset, length) => {
      const buffer = new Uint8Array(length);
      return buffer.subarray(0, file.live.read(buffer, offset));
    },
    [Symbol.asyncDispose]: async () => undefined,
  });
  return {
    makeFolder: async (path) => void disk.makeFolder(inside(path)),
    list: async (path) =>
      [...disk.folder(inside(path)).live].map(([name, node]) => ({
        name,
        modifiedMs: node.kind === "file" ? node.modifiedMs : lastWritten(disk, `${inside(path)}/${name}`),
      })),
    remove: async (path) => void disk.remove(inside(path)),
    rename: async (from, to) => disk.rename(inside(from), inside(to)),
    readWhole: async (path) => {
      const { live } = disk.file(inside(path));
      const bytes = new Uint8Array(live.sizeBytes);
      live.read(bytes, 0);
      return bytes;
    },
    writeWhole: async (path, bytes) => {
      disk.remove(inside(path));
      disk.write(disk.create(inside(path)), 0, bytes);
    },
    replace: async (path, bytes) => {
      disk.remove(`${inside(path)}.new`);
      const file = disk.create(`${inside(path)}.new`);
      disk.write(file, 0, bytes);
      await syncing(options);
      file.durable = file.live;
      disk.rename(`${inside(path)}.new`, inside(path));
    },
    create: async (path) => opened(disk.create(inside(path))),
    open: async (path) => opened(disk.file(inside(path))),
    stream: (path, lengthBytes) => streamOf(disk.file(inside(path)), lengthBytes),
  };
}

function lastWritten(disk: SimulatedDisk, path: string): number {
  const times = [...disk.folder(path).live.values()].map((node) =>
    node.kind === "file" ? node.modifiedMs : 0,
  );
  return Math.max(0, ...times);
}

async function* streamOf(file: DiskFile, lengthBytes?: number): AsyncGenerator<Uint8Array, void, undefined> {
  const { live } = file;
  const end = Math.min(live.sizeBytes, lengthBytes ?? live.sizeBytes);
  for (let at = 0; at < end; ) {
    const buffer = new Uint8Array(Math.min(READ_BYTES, end - at));
    live.read(buffer, at);
    yield buffer;
    at += buffer.byteLength;
  }
}
