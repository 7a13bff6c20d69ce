import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { functionRuntime } from "../../../src/images/build/function-runtimes.ts";
import { runTool } from "../../../src/processes/run-tool.ts";
import { buildOptions, IMAGES_FOLDER } from "../../images/support.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
/** Made for one test: quickly rather than small. */
const FAST = ["-comp", "zstd", "-Xcompression-level", "1", "-no-xattrs", "-quiet", "-no-progress"];

export interface OwnRuntimeOptions {
  /** Of the protocol that its init speaks. */
  readonly version: "1.0.0" | "2.0.0";
  /** Whether our agent finds the Python that it needs. */
  readonly suitsAgent: boolean;
}

/** A runtime like those of the reference: Debian with Python, and an init that speaks their protocol on vsock. */
export async function ownRuntime(options: OwnRuntimeOptions, signal: AbortSignal): Promise<string> {
  const python = await functionRuntime(IMAGES_FOLDER, "python", buildOptions(signal));
  const sources = [here("runtime/init.py"), here("peer.py")];
  const hash = createHash("sha256").update(JSON.stringify([options, FAST, python.squashfsPath]));
  for (const source of sources) hash.update(readFileSync(source));
  const path = join(IMAGES_FOLDER, `own-runtime-${hash.digest("hex").slice(0, 12)}.squashfs`);
  if (existsSync(path)) return path;

  const work = await mkdtemp(join(tmpdir(), "own-runtime-"));
  try {
    const root = join(work, "root");
    await runTool("unsquashfs", ["-q", "-n", "-d", root, python.squashfsPath], { signal });
    await mkdir(join(root, "opt/runtime"));
    await copyFile(here("runtime/init.py"), join(root, "usr/sbin/init"));
    await chmod(join(root, "usr/sbin/init"), 0o755);
    await copyFile(here("peer.py"), join(root, "opt/runtime/peer.py"));
    await writeFile(join(root, "opt/runtime/version"), options.version);
    if (!options.suitsAgent) rmSync(join(root, "usr/bin/python3"));
    await runTool("mksquashfs", [root, `${path}.${process.pid}`, ...FAST], { signal });
    await rename(`${path}.${process.pid}`, path);
    return path;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
