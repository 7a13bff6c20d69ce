// Brings the dependencies and the runtime in. Plain JavaScript without any dependency, because it runs before
// there are any, and on Node 20. It says and does nothing when nothing is missing.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
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

/** Inside `node_modules`, so that it goes when that goes. */
const LEFT_OUT_FILE = "node_modules/.left-out-by-npm.json";

const VERSION_TIMEOUT_MS = 10_000;

/** A problem that the user can solve: its message is shown alone, without a stack. */
class SetupError extends Error {}

/**
 * Why the installed packages are not those of `package-lock.json`; undefined when they are. npm writes
 * `node_modules/.package-lock.json` at the end of an installation, so an interrupted one is noticed too.
 */
function whyStale(rootDir) {
  const installed = readInstalled(rootDir);
  if (installed === undefined) return "dependencies are not installed yet";
  const differing = findDiffering(rootDir, installed);
  if (differing.length === 0) return undefined;
  const leftOut = readJson(join(rootDir, LEFT_OUT_FILE)) ?? {};
  const due = differing.find(([path, entry]) => leftOut[path] !== identityOf(entry));
  return due === undefined ? undefined : `${due[0]} is missing or has changed`;
}

function readInstalled(rootDir) {
  return readJson(join(rootDir, "node_modules", ".package-lock.json"))?.packages;
}

/** The locked packages that are absent, or present in another version: [path, entry of the lock file]. */
function findDiffering(rootDir, installed) {
  const wanted = readJson(join(rootDir, "package-lock.json"))?.packages ?? {};
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== "" && !isSkippable(path, entry))
    .filter(([path, entry]) => !isSame(entry, installed[path]) || !existsSync(join(rootDir, path)));
}

/**
 * Notes what npm itself leaves out of an installation that is complete to its mind: otherwise every start would
 * install again.
 */
function noteLeftOut(rootDir) {
  const differing = findDiffering(rootDir, readInstalled(rootDir) ?? {});
  if (differing.length === 0) return;
  const note = Object.fromEntries(differing.map(([path, entry]) => [path, identityOf(entry)]));
  writeFileSync(join(rootDir, LEFT_OUT_FILE), JSON.stringify(note));
}

/** Undefined when the file is absent or cut off: both mean that an installation is due. */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** Packages that may be absent by right (made for another machine), except the runtime of this one. */
function isSkippable(path, entry) {
  const isOptional = entry.optional || entry.devOptional || entry.peer || entry.extraneous;
  return isOptional === true && path !== `node_modules/${runtimePackageName()}`;
}

function isSame(wanted, installed) {
  return installed !== undefined && identityOf(wanted) === identityOf(installed);
}

/** What tells one content of a package's folder from another. */
function identityOf({ link, resolved, version, integrity }) {
  return link === true ? `link ${resolved}` : `${version} ${integrity}`;
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

/** Installs what is missing. */
async function setUp(rootDir) {
  const reason = whyStale(rootDir);
  if (reason !== undefined) {
    await install(rootDir, reason);
    noteLeftOut(rootDir);
    await checkRuntime(rootDir);
    process.stderr.write("Set-up done.\n");
  } else if (!isRecentEnough(process.versions.node) && findPackagedNode(rootDir) === undefined) {
    throw new SetupError(missingRuntimeMessage());
  }
}

/** Makes this repository ready to run. False means that it could not be done; the user has been told why. */
export async function prepareRepository() {
  try {
    await setUp(fileURLToPath(new URL("..", import.meta.url)));
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return false;
  }
}
