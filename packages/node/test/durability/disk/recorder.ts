import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("record-disk.c", import.meta.url));

/** Why the recorder cannot be built here; null when it can. */
export function recorderProblem(): string | null {
  if (process.platform !== "linux") return "disks are recorded on Linux only";
  const { status } = spawnSync("gcc", ["--version"]);
  return status === 0 ? null : "no gcc: the recorder of the disk cannot be built";
}

/** Builds the recorder into a folder; gives the environment of a process whose disk is to be recorded. */
export function buildRecorder(folder: string, rootPath: string, logPath: string): Record<string, string> {
  const library = join(folder, "record-disk.so");
  const args = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", library, SOURCE];
  const { status, stderr } = spawnSync("gcc", [...args, "-ldl", "-lpthread"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`gcc failed: ${stderr}`);
  return {
    LD_PRELOAD: library,
    RECORDED_DISK_ROOT: rootPath,
    RECORDED_DISK_LOG: logPath,
    UV_USE_IO_URING: "0", // Its writes would go past the C library.
  };
}
