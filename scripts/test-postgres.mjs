// A PostgreSQL server for the tests: one for all test files of a run, in a temporary folder, on a free port.
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const VERSIONS_DIR = "/usr/lib/postgresql";
const PACKAGE = "postgresql";
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 50;
const PASSWORD = "test";

/** A reason why there is no server, told to the user without a stack. */
class NoServerError extends Error {}

/**
 * Starts the server.
 *
 * @returns the URL under which tests make their databases, and the function that stops the server and removes all
 * of it; or the reason why this machine has none
 */
export async function startTestPostgres() {
  try {
    return await start(findBinaries() ?? install());
  } catch (error) {
    if (!(error instanceof NoServerError)) throw error;
    return { reason: error.message };
  }
}

/** The folder with `initdb` and `postgres`. */
function findBinaries() {
  const versions = fs.existsSync(VERSIONS_DIR) ? fs.readdirSync(VERSIONS_DIR) : [];
  const newestFirst = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((name) => join(VERSIONS_DIR, name, "bin"));
  const folders = [...newestFirst, ...(process.env.PATH ?? "").split(delimiter)];
  return folders.find((folder) => ["initdb", "postgres"].every((name) => fs.existsSync(join(folder, name))));
}

/** Debian's package, where this process may install it. */
function install() {
  const advice = "install PostgreSQL 15 or newer (on Debian: apt-get install postgresql)";
  const isAllowed = process.getuid?.() === 0 && fs.existsSync("/usr/bin/apt-get");
  if (!isAllowed) throw new NoServerError(`PostgreSQL is not installed: ${advice}`);
  process.stderr.write("Installing PostgreSQL for the tests, this can take a minute.\n");
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", PACKAGE]]) {
    const result = spawnSync("apt-get", args, {
      stdio: ["ignore", 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    if (result.status !== 0) throw new NoServerError(`PostgreSQL could not be installed: ${advice}`);
  }
  const folder = findBinaries();
  if (folder === undefined)
    throw new NoServerError(`PostgreSQL could not be found after its installation: ${advice}`);
  return folder;
}

async function start(binaries) {
  const folder = fs.mkdtempSync(join(tmpdir(), "twentysix-postgres-"));
  const data = join(folder, "data");
  const owner = unprivilegedUser();
  const passwordFile = join(folder, "password");
  fs.writeFileSync(passwordFile, PASSWORD);
  if (owner.uid !== undefined) {
    for (const path of [folder, passwordFile]) fs.chownSync(path, owner.uid, owner.gid);
  }
  const init = spawnSync(
    join(binaries, "initdb"),
    [
      "-D",
      data,
      "-U",
      "postgres",
      "-E",
      "UTF8",
      "--locale=C",
      "-A",
      "scram-sha-256",
      `--pwfile=${passwordFile}`,
    ],
    { ...owner, cwd: folder, encoding: "utf8" },
  );
  if (init.status !== 0) throw new Error(`initdb failed: ${init.error?.message ?? init.stderr}`);
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    fsync: "on",
    synchronous_commit: "on",
    max_connections: 200,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = fs.openSync(join(folder, "log"), "a");
  const server = spawn(join(binaries, "postgres"), ["-D", data, ...args], {
    ...owner,
    cwd: folder,
    stdio: ["ignore", log, log],
  });
  fs.closeSync(log);
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const stop = async () => {
    // Fast: whoever is still connected is cut off.
    server.kill("SIGINT");
    await Promise.race([ended, sleep(STOP_TIMEOUT_MS)]);
    server.kill("SIGKILL");
    fs.rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", () => server.kill("SIGQUIT"));
  if (!(await answers(port, server))) {
    const text = fs.readFileSync(join(folder, "log"), "utf8");
    await stop();
    throw new Error(`PostgreSQL did not start:\n${text}`);
  }
  return { url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`, stop };
}

/** The server refuses to run as root. */
function unprivilegedUser() {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = ["-u", "-g"].map((flag) =>
      Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout),
    );
    if (uid > 0 && gid > 0) return { uid, gid };
  }
  throw new NoServerError(
    "PostgreSQL needs a user without privileges, and there is none called postgres or nobody",
  );
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function answers(port, server) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && server.exitCode === null) {
    const isOpen = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("close", () => socket.destroy());
      socket.unref();
      setTimeout(() => socket.end(), POLL_MS);
    });
    if (isOpen) return true;
    await sleep(POLL_MS);
  }
  return false;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
