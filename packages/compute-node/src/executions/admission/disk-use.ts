import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";

export interface DiskUse {
  readonly totalMib: number;
  readonly freeMib: number;
  /** Allocated blocks of the disks that each machine was promised, by its hash. */
  readonly usedMib: ReadonlyMap<string, number>;
}

const MIB = 1_048_576;
const BLOCK_BYTES = 512;
/** In the folder of a machine, and no part of what it was promised: it takes room beside that. */
const OTHERS = /^(?:parent-|image-|rootfs\.pre-restore-|restore\.qcow2|seed\.iso$|export$)/;

/**
 * Room on the file system of the machines' disks, and what each machine has taken of what it was promised. Blocks are
 * counted, not lengths: qcow2 and sparse files are shorter on the disk than they say.
 */
export async function measureDisk(vmsDir: string): Promise<DiskUse> {
  const { bsize, blocks, bavail } = await statfs(vmsDir);
  const usedMib = new Map<string, number>();
  for (const entry of await readdir(vmsDir, { withFileTypes: true })) {
    if (entry.isDirectory()) usedMib.set(entry.name, await folderMib(join(vmsDir, entry.name)));
  }
  return {
    totalMib: Math.floor((bsize * blocks) / MIB),
    freeMib: Math.floor((bsize * bavail) / MIB),
    usedMib,
  };
}

/** Files come and go while machines start and end: one that has gone takes nothing. */
async function folderMib(folder: string): Promise<number> {
  const names = ((await readdir(folder).catch(absent)) ?? []).filter((name) => !OTHERS.test(name));
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name)).catch(absent)));
  const blocks = sizes.reduce((sum, file) => sum + (file?.isFile() ? file.blocks : 0), 0);
  return Math.ceil((blocks * BLOCK_BYTES) / MIB);
}

function absent(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}
