// Brings the dependencies and the runtime in. Plain JavaScript without any dependency, because it runs before
// there are any; it runs on Node 20; and it says and does nothing when nothing is missing.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  findPackagedNode,
  isRecentEnough,
  missingRuntimeMessage,
  runtimePackageName,
  versionOfNode,
} from "../packages/cli/bin/node-runtime.mjs";

const INSTALL_ARGUMENTS = ["ci", "--loglevel=error", "--no-audit", "--no-fund"];

/** A problem that the user can solve: its message is shown alone, without a stack. */
class SetupError extends Error {}

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

function install(rootDir, reason) {
  process.stderr.write(`Setting up (${reason}): installing dependencies, this can take a few minutes.\n`);
  // Inside an npm script `npm_execpath` is the npm that the user called; otherwise it is searched on PATH.
  const npmScript = process.env.npm_execpath;
  const [command, leading] =
    npmScript?.endsWith(".js") === true
      ? [process.execPath, [npmScript]]
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
function checkRuntime(rootDir) {
  const packaged = findPackagedNode(rootDir);
  const version = packaged === undefined ? undefined : versionOfNode(packaged);
  if (version !== undefined && isRecentEnough(version)) return;
  // A packaged runtime that does not run here (musl, for one) must not hide the machine's own on PATH.
  if (packaged !== undefined) rmSync(join(rootDir, "node_modules", ".bin", "node"), { force: true });
  if (!isRecentEnough(process.versions.node)) throw new SetupError(missingRuntimeMessage());
}

/** Installs what is missing. Returns whether anything had to be done. */
export function setUp(rootDir) {
  const reason = whyStale(rootDir);
  if (reason !== undefined) {
    install(rootDir, reason);
    checkRuntime(rootDir);
    process.stderr.write("Set-up done.\n");
    return true;
  }
  if (!isRecentEnough(process.versions.node) && findPackagedNode(rootDir) === undefined) {
    throw new SetupError(missingRuntimeMessage());
  }
  return false;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    setUp(join(dirname(fileURLToPath(import.meta.url)), ".."));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
