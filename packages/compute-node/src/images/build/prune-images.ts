import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

const DAY_MS = 86_400_000;
/** An older build of a kind goes when nobody has asked for it for so long. */
const KEPT_MS = 30 * DAY_MS;
/** No build takes so long: its process is gone. */
const BUILDING_MS = DAY_MS;

/** Its time is that of the last use of the image beside it. */
const USED_FILE = ".used";

/** Notes that an image is used now. A folder that may not be written to is looked after by somebody else. */
export async function noteUse(folder: string): Promise<void> {
  try {
    await writeFile(join(folder, USED_FILE), "");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EROFS" && code !== "EPERM") throw error;
  }
}

/**
 * Removes builds of a kind that nobody uses any more, and what builds that were cut off have left. `newest`: the folder of
 * the build that was just used, whose note tells the present time as the file system sees it.
 */
export async function pruneImages(imagesFolder: string, kind: string, newest: string): Promise<void> {
  const nowMs = await changedAtMs(join(newest, USED_FILE));
  const build = new RegExp(`^${kind}-[0-9a-f]{16}$`);
  for (const name of await readdir(imagesFolder)) {
    const path = join(imagesFolder, name);
    const isLeftOver = name.startsWith(`.building-${kind}-`);
    if (nowMs === null || (!isLeftOver && !build.test(name))) continue;
    const changedMs =
      (isLeftOver ? null : await changedAtMs(join(path, USED_FILE))) ?? (await changedAtMs(path));
    const maxAgeMs = isLeftOver ? BUILDING_MS : KEPT_MS;
    if (changedMs !== null && nowMs - changedMs > maxAgeMs) await rm(path, { recursive: true, force: true });
  }
}

/** null: there is no such file, or somebody else has just removed it. */
async function changedAtMs(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : found.mtimeMs;
}
