import { ExecutionError } from "../../executions/errors.ts";
import { ImageError } from "../../images/errors.ts";
import type { CachedFile } from "../../images/images.ts";
import type { RootDiskServices } from "./root-disk.ts";

/**
 * A file of the network that a disk of an instance is made of, held until it is released.
 *
 * @throws ExecutionError IMAGE_INVALID, IMAGE_DOWNLOAD_FAILED; the signal's reason
 */
export async function acquireDiskFile(
  ref: string,
  { cache, maxParentBytes }: RootDiskServices,
  signal: AbortSignal,
): Promise<CachedFile> {
  try {
    return await cache.acquire(ref, { maxBytes: maxParentBytes }, signal);
  } catch (cause) {
    if (!(cause instanceof ImageError)) throw cause;
    const isOfContent = cause.code === "FILE_TOO_LARGE" || cause.code === "FILE_WRONG";
    throw isOfContent
      ? new ExecutionError("IMAGE_INVALID", `the disk image ${ref} cannot be used: ${cause.message}`, {
          cause,
        })
      : new ExecutionError(
          "IMAGE_DOWNLOAD_FAILED",
          `the disk image ${ref} is not available: ${cause.message}`,
          {
            cause,
          },
        );
  }
}
