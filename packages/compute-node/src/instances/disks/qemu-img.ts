import { readQcow2Header } from "../../images/qcow2-header.ts";
import { runTool } from "../../processes/run-tool.ts";
import { runImageTool } from "./image-tool.ts";

export type ImageFormat = "raw" | "qcow2";

/** What does not read the content of an image. */
const TABLES_MS = 120_000;
const SLOWEST_BYTES_PER_MS = 8_192;

/** How long a copy of so many bytes may take: 8 MB a second is a slow disk. */
export const copyTimeMs = (sizeBytes: number): number =>
  TABLES_MS + Math.ceil(sizeBytes / SLOWEST_BYTES_PER_MS);

/**
 * A disk that keeps only what differs from its parent, in a file beside it or elsewhere. The parent is not opened here.
 *
 * @throws ToolError
 */
export async function createOverlay(
  path: string,
  parent: { readonly path: string; readonly format: ImageFormat },
  sizeMib: number,
  signal: AbortSignal,
): Promise<void> {
  const below = ["-u", "-F", parent.format, "-b", parent.path];
  await runTool("qemu-img", ["create", "-q", "-f", "qcow2", ...below, path, `${sizeMib}M`], { signal });
}

/** Finds damage of an image. @throws ToolError with what is wrong */
export async function checkImage(path: string, signal: AbortSignal): Promise<void> {
  await runImageTool([{ path, access: "read" }], ([name = ""]) => ["check", "-q", "-f", "qcow2", name], {
    timeMs: TABLES_MS,
    signal,
  });
}

/** Makes a disk larger; its guest grows its file system itself. @throws ToolError */
export async function growImage(path: string, sizeMib: number, signal: AbortSignal): Promise<void> {
  await runImageTool(
    [{ path, access: "write" }],
    ([name = ""]) => ["resize", "-q", "-f", "qcow2", name, `${sizeMib}M`],
    { timeMs: TABLES_MS, signal },
  );
}

/** Writes the bytes of a qcow2 disk as they are, without what is zero. @throws ToolError */
export async function unpackImage(source: string, target: string, signal: AbortSignal): Promise<void> {
  const sizeBytes = Number((await readQcow2Header(source))?.virtualSizeBytes ?? 0);
  await runImageTool(
    [
      { path: source, access: "read" },
      { path: target, access: "create" },
    ],
    ([from = "", to = ""]) => ["convert", "-f", "qcow2", "-O", "raw", from, to],
    { timeMs: copyTimeMs(sizeBytes), signal },
  );
}
