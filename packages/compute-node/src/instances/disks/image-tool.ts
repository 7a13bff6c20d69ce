import { constants, type FileHandle, open } from "node:fs/promises";
import { IMAGE_TOOL_GROUP_ID, imageToolUserOf } from "../../helper/machine-user.ts";
import { runTool, ToolError } from "../../processes/run-tool.ts";

export interface ToolFile {
  readonly path: string;
  /** `create` empties what is there. */
  readonly access: "read" | "write" | "create";
}

/** An image of any size that is no trap is handled in far less. */
const MEMORY_KIB = 2_097_152;
/** It compresses in threads. */
const PROCESSORS = 4;
/** The first three are its standard streams. */
const FIRST_HANDLE = 3;
const NOT_FOUND = 127;
const LIMITED = `ulimit -c 0; ulimit -v ${MEMORY_KIB}; ulimit -t "$1"; shift; exec "$@"`;

/**
 * Runs qemu-img on what strangers may have written: with bounds of its memory, processors and time, and, where this node
 * is root, under a user of its own who owns nothing. It is handed its files, open, and reaches no others.
 *
 * @param argsOf gets the names by which it finds the files
 * @throws ToolError; the signal's reason
 */
export async function runImageTool(
  files: readonly ToolFile[],
  argsOf: (names: readonly string[]) => readonly string[],
  { timeMs, signal }: { readonly timeMs: number; readonly signal: AbortSignal },
): Promise<void> {
  signal.throwIfAborted();
  const handles: FileHandle[] = [];
  const limit = AbortSignal.timeout(timeMs);
  const seconds = Math.ceil(timeMs / 1_000);
  try {
    for (const file of files) handles.push(await openFor(file));
    const args = argsOf(handles.map((_, index) => `/proc/self/fd/${FIRST_HANDLE + index}`));
    const command = [String(seconds * PROCESSORS), ...asToolUser(), "qemu-img", ...args];
    await runTool("/bin/sh", ["-c", LIMITED, "sh", ...command], {
      name: `qemu-img ${args[0] ?? ""}`,
      handles: handles.map(({ fd }) => fd),
      signal: AbortSignal.any([signal, limit]),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw new ToolError("TOOL_FAILED", `qemu-img took more than ${seconds} s`);
    if (!(error instanceof ToolError) || error.exitCode !== NOT_FOUND) throw error;
    throw new ToolError("TOOL_MISSING", "qemu-img is not installed");
  } finally {
    for (const handle of handles) await handle.close();
  }
}

const FLAGS = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
} as const;

async function openFor({ path, access }: ToolFile): Promise<FileHandle> {
  const handle = await open(path, FLAGS[access] | constants.O_NOFOLLOW, 0o600);
  try {
    if (isRoot()) await share(handle, access === "read" ? 0o040 : 0o060);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The group stays: it has no members but these processes, and none of them gets to the folder of the file. */
async function share(handle: FileHandle, bits: number): Promise<void> {
  const { uid, gid, mode } = await handle.stat();
  if (gid === IMAGE_TOOL_GROUP_ID && (mode & bits) === bits) return;
  await handle.chown(uid, IMAGE_TOOL_GROUP_ID);
  await handle.chmod((mode & 0o777) | bits);
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** Nodes of one host do not begin with the same. */
let lastUser = process.pid;

/** One after the other: two that run at once must not reach what the other one has open. */
function asToolUser(): readonly string[] {
  if (!isRoot()) return [];
  lastUser += 1;
  return [
    "setpriv",
    `--reuid=${imageToolUserOf(lastUser)}`,
    `--regid=${IMAGE_TOOL_GROUP_ID}`,
    ...["--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"],
  ];
}
