import { makeDurableDirectory } from "./directory-sync.ts";
import { nodeFileSystem } from "./node-file-system.ts";

/** Creates a folder of the real disk, and those above it that are missing; all their names outlive a loss of power. */
export async function makeDurableFolder(path: string): Promise<void> {
  await makeDurableDirectory(nodeFileSystem, path);
}
