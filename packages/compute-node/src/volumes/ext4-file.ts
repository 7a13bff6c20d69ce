import { rename, rm, truncate, writeFile } from "node:fs/promises";
import { runTool } from "../processes/run-tool.ts";
import { exists } from "./file-exists.ts";

const MIB = 1_048_576;

/**
 * A file with an empty ext4 file system, made once: one that exists is left as it is. It takes room on the disk as it
 * fills. Nothing of it is ever mounted on this host.
 *
 * @throws ToolError
 */
export async function ensureExt4File(path: string, sizeMib: number, signal: AbortSignal): Promise<void> {
  if (await exists(path)) return;
  const partial = `${path}.new`;
  await rm(partial, { force: true });
  await writeFile(partial, "", { mode: 0o600 });
  await truncate(partial, sizeMib * MIB);
  await runTool("mkfs.ext4", ["-q", "-F", "-m", "0", "-E", "lazy_itable_init=1", partial], { signal });
  await rename(partial, path);
}
