// Plain JavaScript that runs on Node 20: how the runtime is started, for memory and a quick start.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Each of the threads has a heap of its own. By default each keeps up to 48 MiB for young objects alone, and lets
 * garbage grow to four times what is alive, because it reckons with a limit of gigabytes; here to 1.2 times. Little is
 * lost with less: docs/decisions/0007-write-path.md. Threads that are idle collect by themselves what a busy time has
 * left.
 */
export const RUNTIME_FLAGS = [
  "--max-semi-space-size=2",
  "--max-old-space-size=1024",
  "--heap-growing-percent=20",
  "--expose-gc",
];

/** Whether this process was started with the flags. */
export function isTuned(execArgv = process.execArgv) {
  return RUNTIME_FLAGS.every((flag) => execArgv.includes(flag));
}

/**
 * The environment of a tuned process. The sources are stripped of their types and compiled once, then read from a
 * cache; memory that crosses threads comes from few arenas, so that it is used again. What the user sets stays.
 */
export function tunedEnvironment(env = process.env) {
  const cacheDir = compileCacheDir();
  return {
    MALLOC_ARENA_MAX: "2",
    ...(cacheDir === undefined ? {} : { NODE_COMPILE_CACHE: cacheDir }),
    ...env,
  };
}

/** Beside the dependencies, which the same user installed; undefined when there is no such folder. */
function compileCacheDir() {
  for (let dir = dirname(fileURLToPath(import.meta.url)); ; dir = dirname(dir)) {
    const modules = join(dir, "node_modules");
    if (existsSync(modules)) return join(modules, ".cache", "twentysix");
    if (dirname(dir) === dir) return undefined;
  }
}
