import { createHash } from "node:crypto";
import { join } from "node:path";

/** Where a helper works. */
export interface HelperFolders {
  /** Folder of the compute node: drives and templates lie in it, and nothing else is opened for writing. */
  readonly dir: string;
  /** Further folders whose files may be read: images that are shared by nodes. */
  readonly readOnlyDirs: readonly string[];
}

export function helperSocketOf(dir: string): string {
  return join(dir, "helper.sock");
}

export function recordsFolderOf(dir: string): string {
  return join(dir, "helper");
}

/**
 * Folder of the sockets and the log of a machine. Its name begins like the machine's and is short, since the kernel takes
 * no more than 107 bytes for the path of a socket.
 */
export function runFolderOf(dir: string, vmHash: string): string {
  const digest = createHash("sha256").update(vmHash).digest("hex");
  return join(dir, "run", `${vmHash.slice(0, 8)}-${digest.slice(0, 16)}`);
}
