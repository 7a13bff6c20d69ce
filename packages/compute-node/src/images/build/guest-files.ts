import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of what runs inside guests. */
export const GUEST_FOLDER = fileURLToPath(new URL("../../../guest/", import.meta.url));

export interface GuestFile {
  /** Relative to the folder that was asked for. */
  readonly path: string;
  readonly bytes: Buffer;
}

/** Files of one part of the guest (`agent`, `initramfs` …), sorted by path. */
export async function readGuestFiles(part: string): Promise<readonly GuestFile[]> {
  const folder = join(GUEST_FOLDER, part);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("__pycache__"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(
    paths.map(async (path) => ({ path: path.slice(folder.length + 1), bytes: await readFile(path) })),
  );
}
