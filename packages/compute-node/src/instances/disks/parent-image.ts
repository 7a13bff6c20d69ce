import { constants, copyFile, link, open, rm } from "node:fs/promises";
import { ExecutionError } from "../../executions/errors.ts";
import type { CachedFile } from "../../images/images.ts";
import { readQcow2Header } from "../../images/qcow2-header.ts";
import { ToolError } from "../../processes/run-tool.ts";
import { checkImage, type ImageFormat } from "./qemu-img.ts";

export interface ImageFacts {
  readonly format: ImageFormat;
  readonly virtualSizeBytes: bigint;
}

/** An image whose tables lead in circles would be looked at for hours. */
const CHECK_LIMIT_MS = 60_000;

/**
 * Gives a downloaded file a second name in the folder of an instance: what the cache forgets stays there for as long as
 * the instance does.
 */
export async function keepParent(file: CachedFile, path: string): Promise<void> {
  try {
    await link(file.path, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST") {
      if (code !== "EXDEV" && code !== "EPERM" && code !== "EMLINK") throw error;
      await copyInPlace(file.path, path);
    }
  }
}

async function copyInPlace(source: string, target: string): Promise<void> {
  const partial = `${target}.part`;
  await rm(partial, { force: true });
  await copyFile(source, partial, constants.COPYFILE_FICLONE);
  await link(partial, target);
  await rm(partial);
}

/**
 * What an image of a stranger is, by its own head: one that would lead QEMU to other files of this host is refused.
 *
 * @throws ExecutionError IMAGE_INVALID
 */
export async function inspectImage(path: string, sizeBytes: number): Promise<ImageFacts> {
  const header = await readQcow2Header(path);
  if (header === null) {
    if (await looksLikeQcow(path))
      throw invalid("its head is damaged, or of a kind of qcow that is not known");
    return { format: "raw", virtualSizeBytes: BigInt(sizeBytes) };
  }
  if (header.hasBackingFile)
    throw invalid("it stands on another file (backing file): flatten it with qemu-img convert");
  if (header.hasDataFile) throw invalid("it keeps its bytes in another file (external data file)");
  if (header.isEncrypted) throw invalid("it is encrypted by qcow2, which has no key here");
  if (header.virtualSizeBytes === 0n) throw invalid("it says that it is a disk of no bytes");
  return { format: "qcow2", virtualSizeBytes: header.virtualSizeBytes };
}

/**
 * Looks at all tables of an image: one that was cut off, or leads out of its file, would boot as an empty disk.
 *
 * @throws ExecutionError IMAGE_INVALID; the signal's reason
 */
export async function expectSound(path: string, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.timeout(CHECK_LIMIT_MS);
  try {
    await checkImage(path, AbortSignal.any([signal, limit]));
  } catch (cause) {
    signal.throwIfAborted();
    if (limit.aborted) throw invalid(`it cannot be checked within ${CHECK_LIMIT_MS / 1_000} s`, cause);
    if (!(cause instanceof ToolError) || cause.code === "TOOL_MISSING") throw cause;
    // Room that nothing refers to, as an image has whose writer was ended: it harms nobody.
    if (cause.exitCode === ONLY_LEAKS) return;
    throw invalid("it is damaged or cut off: look at it with qemu-img check", cause);
  }
}

/** Source: QEMU `docs/tools/qemu-img.rst`, exit codes of `check`. */
const ONLY_LEAKS = 3;

async function looksLikeQcow(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(3);
    await file.read(head, 0, 3, 0);
    return head.toString("latin1") === "QFI";
  } finally {
    await file.close();
  }
}

const invalid = (why: string, cause?: unknown): ExecutionError =>
  new ExecutionError("IMAGE_INVALID", `the disk image cannot be used: ${why}`, { cause });
