import { open, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ExecutionError } from "../../executions/errors.ts";
import { parseQcow2Header } from "../../images/qcow2-header.ts";
import { inspectImage } from "./parent-image.ts";
import type { ImageFormat } from "./qemu-img.ts";

const HEAD_BYTES = 65_536;
const MAX_NAME_BYTES = 1_023;

/**
 * What a disk of this node stands on, by its own head: an image in the same folder, or nothing. It is read anew at each
 * start, so that a disk and what is said of it never differ.
 *
 * @throws ExecutionError IMAGE_INVALID
 */
export async function backingImage(
  path: string,
): Promise<{ readonly path: string; readonly format: ImageFormat } | null> {
  const name = await backingName(path);
  if (name === null) return null;
  const parent = join(dirname(path), basename(name));
  if (name !== basename(name) && name !== parent) {
    throw new ExecutionError("IMAGE_INVALID", `${path} stands on ${name}, which is not in its folder`);
  }
  const { format } = await inspectImage(parent, (await stat(parent)).size);
  return { path: parent, format };
}

/** The file that a disk says it stands on. Source: QEMU `docs/interop/qcow2.txt`, bytes 8 to 19 of the header. */
export async function backingName(path: string): Promise<string | null> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    const read = head.subarray(0, bytesRead);
    if (parseQcow2Header(read)?.hasBackingFile !== true) return null;
    const [offset, sizeBytes] = [Number(read.readBigUInt64BE(8)), read.readUInt32BE(16)];
    if (sizeBytes > MAX_NAME_BYTES || offset + sizeBytes > read.length) {
      throw new ExecutionError("IMAGE_INVALID", `${path} names what it stands on outside of its head`);
    }
    return read.toString("utf8", offset, offset + sizeBytes);
  } finally {
    await file.close();
  }
}
