import { stat } from "node:fs/promises";
import { readQcow2Header } from "../../images/qcow2-header.ts";
import { backingImage } from "./backing-image.ts";
import { runImageTool } from "./image-tool.ts";
import { copyTimeMs, type ImageFormat } from "./qemu-img.ts";

/**
 * Writes a disk with all that it stands on into one compressed file. `isInUse`: its machine runs.
 *
 * @throws ToolError, ExecutionError IMAGE_INVALID
 */
export async function flattenImage(
  source: { readonly path: string; readonly format: ImageFormat; readonly isInUse: boolean },
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const { path, format, isInUse } = source;
  // A guest writes all of a raw disk: what looks like a head there is none.
  const header = format === "qcow2" ? await readQcow2Header(path) : null;
  const backing = header === null ? null : await backingImage(path);
  const sizeBytes = header === null ? (await stat(path)).size : Number(header.virtualSizeBytes);
  const below = backing === null ? [] : [{ path: backing.path, access: "read" } as const];
  await runImageTool(
    [{ path: target, access: "create" }, { path, access: "read" }, ...below],
    ([to = "", from = "", under = ""]) => {
      const layer = backing === null ? null : node(backing.format, under);
      const image = format === "raw" ? node("raw", from) : { ...node("qcow2", from), backing: layer };
      const share = isInUse ? ["-U"] : [];
      return ["convert", ...share, "-O", "qcow2", "-c", `json:${JSON.stringify(image)}`, to];
    },
    { timeMs: copyTimeMs(sizeBytes), signal },
  );
}

const node = (driver: ImageFormat, filename: string) => ({ driver, file: { driver: "file", filename } });
