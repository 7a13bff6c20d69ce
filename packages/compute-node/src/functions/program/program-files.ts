import { ExecutionError } from "../../executions/errors.ts";
import { ImageError } from "../../images/errors.ts";
import type { CachedFile, FileCache } from "../../images/images.ts";
import { checkSquashfs } from "../../images/squashfs-header.ts";
import type { ProgramPlan } from "./program-plan.ts";

/** Files of a program on this disk, held until `release`. */
export interface ProgramFiles {
  readonly runtime: CachedFile;
  readonly code: CachedFile;
  readonly data: CachedFile | null;
  /** By the hash that its message names. */
  readonly images: ReadonlyMap<string, CachedFile>;
  release(): void;
}

/** What is sent to the guest as it is. Source: aleph-vm `MAX_PROGRAM_ARCHIVE_SIZE`. */
export const MAX_INLINE_BYTES = 10_000_000;
const MAX_IMAGE_BYTES = 16 * 1024 ** 3;

/**
 * Downloads what a program is made of, or finds it here, and looks at it before any machine does.
 *
 * @throws ExecutionError IMAGE_DOWNLOAD_FAILED, IMAGE_INVALID, VOLUME_INVALID
 */
export async function acquireProgramFiles(
  plan: ProgramPlan,
  cache: FileCache,
  signal: AbortSignal,
): Promise<ProgramFiles> {
  const held: CachedFile[] = [];
  const release = (): void => {
    for (const file of held.splice(0)) file.release();
  };
  const hold = async (ref: string, part: Part): Promise<CachedFile> => {
    const file = await acquire(ref, part, cache, signal);
    held.push(file);
    return file;
  };
  try {
    const runtime = await hold(plan.runtimeRef, "runtime");
    const code = await hold(plan.code.ref, plan.code.isImage ? "code image" : "code");
    const data = plan.dataRef === null ? null : await hold(plan.dataRef, "data");
    const images = new Map<string, CachedFile>();
    for (const volume of plan.volumes) {
      if (volume.kind === "image") images.set(volume.ref, await hold(volume.ref, "volume"));
    }
    return { runtime, code, data, images, release };
  } catch (error) {
    release();
    throw error;
  }
}

type Part = "runtime" | "code" | "code image" | "data" | "volume";

async function acquire(ref: string, part: Part, cache: FileCache, signal: AbortSignal): Promise<CachedFile> {
  const isInline = part === "code" || part === "data";
  try {
    const maxBytes = isInline ? MAX_INLINE_BYTES : MAX_IMAGE_BYTES;
    const file = await cache.acquire(ref, { maxBytes }, signal);
    if (!isInline) await expectImage(file);
    return file;
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw asExecutionError(ref, part, error);
  }
}

async function expectImage(file: CachedFile): Promise<void> {
  try {
    await checkSquashfs(file.path);
  } catch (error) {
    file.release();
    throw error;
  }
}

function asExecutionError(ref: string, part: Part, cause: ImageError): ExecutionError {
  const isOfContent = cause.code === "FILE_TOO_LARGE" || cause.code === "FILE_WRONG";
  if (isOfContent) {
    return new ExecutionError("IMAGE_INVALID", `The ${part} ${ref} cannot be used: ${cause.message}`, {
      cause,
    });
  }
  if (part === "volume") return new ExecutionError("VOLUME_INVALID", `Error downloading ${ref}`, { cause });
  return new ExecutionError(
    "IMAGE_DOWNLOAD_FAILED",
    `The ${part} ${ref} is not available: ${cause.message}`,
    { cause },
  );
}
