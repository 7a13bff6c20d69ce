import { open, readFile, rm } from "node:fs/promises";
import type { BuildOptions } from "./build-tool.ts";

const POLL_MS = 250;

/**
 * Does work that no other process of this machine does at the same time. The lock is a file with the number of the
 * process that has it; one whose process is gone counts no longer.
 */
export async function withBuildLock<Result>(
  lockFile: string,
  { timers, signal }: Pick<BuildOptions, "timers" | "signal">,
  work: () => Promise<Result>,
): Promise<Result> {
  while (!(await tryLock(lockFile))) {
    if (await isStale(lockFile)) await rm(lockFile, { force: true });
    else await timers.sleep(POLL_MS, signal);
  }
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function tryLock(lockFile: string): Promise<boolean> {
  try {
    const file = await open(lockFile, "wx");
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** An empty file was made this very moment. */
async function isStale(lockFile: string): Promise<boolean> {
  const text = await readFile(lockFile, "utf8").catch(() => "");
  const owner = Number(text);
  if (text === "" || !Number.isSafeInteger(owner)) return false;
  if (owner === process.pid) return false;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
