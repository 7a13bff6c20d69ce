// Brings the dependencies and the runtime in. Plain JavaScript without any dependency, because it runs before
// there are any, and on Node 20. It says and does nothing when nothing is missing.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  findPackagedNode,
  isRecentEnough,
  missingRuntimeMessage,
  runtimePackageName,
} from "../packages/cli/bin/node-runtime.mjs";

/**
 * Exactly the locked packages, whatever the user's own npm settings leave out. No install script runs: none is
 * needed (binaries come inside the packages), and a machine without a compiler must do. Warnings about the
 * engines are left out because the runtime that they ask for comes with this very installation.
 */
const INSTALL_ARGUMENTS = [
  "ci",
  "--ignore-scripts",
  "--include=dev",
  "--include=optional",
  "--loglevel=error",
  "--no-audit",
  "--no-fund",
];

const VERSION_TIMEOUT_MS = 10_000;

/** A problem that the user can solve: its message is shown alone, without a stack. */
export class SetupError extends Error {}

/**
 * Why the installed packages are not those of `package-lock.json`; undefined when they are. npm writes
 * `node_modules/.package-lock.json` at the end of an installation, so an interrupted one is noticed too.
 */
export function whyStale(rootDir) {
  const wanted = readLock(join(rootDir, "package-lock.json"));
  if (wanted === undefined) return "package-lock.json cannot be read";
  const installed = readLock(join(rootDir, "node_modules", ".package-lock.json"));
  if (installed === undefined) return "dependencies are not installed yet";
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "" || isSkippable(path, entry)) continue;
    if (!isSame(entry, installed[path])) return `${path} has changed`;
    if (!existsSync(join(rootDir, path))) return `${path} is missing`;
  }
  return undefined;
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined; // Absent or cut off: both mean that an installation is due.
  }
}

/** Optional packages may be absent by right (made for another machine), except the runtime of this one. */
function isSkippable(path, entry) {
  const isOptional = entry.optional === true || entry.devOptional === true || entry.peer === true;
  return isOptional && path !== `node_modules/${runtimePackageName()}`;
}

function isSame(wanted, installed) {
  if (installed === undefined) return false;
  if (wanted.link === true) return installed.link === true && wanted.resolved === installed.resolved;
  return wanted.version === installed.version && wanted.integrity === installed.integrity;
}

async function install(rootDir, reason) {
  const { spawnSync } = await import("node:child_process");
  process.stderr.write(`Setting up (${reason}): installing dependencies, this can take a few minutes.\n`);
  // Inside an npm script these are the npm that the user called and the Node that runs it, which is not the
  // one inside node_modules that an installation replaces; otherwise npm is searched on PATH.
  const { npm_execpath: npmScript, npm_node_execpath: npmNode = process.execPath } = process.env;
  const [command, leading] =
    npmScript?.endsWith("npm-cli.js") === true
      ? [npmNode, [npmScript]]
      : [process.platform === "win32" ? "npm.cmd" : "npm", []];
  const result = spawnSync(command, [...leading, ...INSTALL_ARGUMENTS], {
    cwd: rootDir,
    // What npm prints goes to stderr: stdout belongs to the command that needed the set-up.
    stdio: ["ignore", 2, 2],
    shell: command === "npm.cmd",
  });
  if (result.error !== undefined) {
    throw new SetupError(`cannot run npm (${result.error.message}): install npm 10 or newer`);
  }
  if (result.status !== 0) {
    throw new SetupError(
      "the dependencies could not be installed: see npm's message above (it needs to reach the package registry), then try again",
    );
  }
}

/** Makes sure that there is a Node 24 which really runs on this machine. */
async function checkRuntime(rootDir) {
  const packaged = findPackagedNode(rootDir);
  const version = packaged === undefined ? undefined : await versionOf(packaged);
  if (version !== undefined && isRecentEnough(version)) return;
  // A packaged runtime that does not run here (musl, for one) must not hide the machine's own on PATH.
  if (packaged !== undefined) rmSync(join(rootDir, "node_modules", ".bin", "node"), { force: true });
  if (!isRecentEnough(process.versions.node)) throw new SetupError(missingRuntimeMessage());
}

/** The version that a runtime file reports; undefined when it does not run here (another C library, say). */
async function versionOf(nodeFile) {
  const { spawnSync } = await import("node:child_process");
  const result = spawnSync(nodeFile, ["--version"], { encoding: "utf8", timeout: VERSION_TIMEOUT_MS });
  return result.status === 0 ? result.stdout.trim().replace(/^v/, "") : undefined;
}

/** Installs what is missing. Returns whether anything had to be done. */
export async function setUp(rootDir) {
  const reason = whyStale(rootDir);
  if (reason !== undefined) {
    await install(rootDir, reason);
    await checkRuntime(rootDir);
    process.stderr.write("Set-up done.\n");
    return true;
  }
  if (!isRecentEnough(process.versions.node) && findPackagedNode(rootDir) === undefined) {
    throw new SetupError(missingRuntimeMessage());
  }
  return false;
}
