// The servers and peers of other projects that tests need, built from their sources by Go or Cargo and kept in `.cache`.
// A machine without these, or without a way to the sources, runs the other tests and is told what it left out.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { setPriority } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../.cache/servers/", import.meta.url));
/** For all of them together, downloads included. What was compiled by then is kept for the next time. */
const BUILD_TIMEOUT_MS = 15 * 60_000;
/** The tests that need no server run meanwhile, and some of them look at the clock. */
const NICENESS = 5;

/** `variable` tells the tests where the program is; `mark` is in the test files that need it. */
const SERVERS = [
  {
    name: "versitygw (S3)",
    module: "github.com/versity/versitygw@v1.8.0",
    command: "./cmd/versitygw",
    variable: "TWENTYSIX_TEST_S3_SERVER",
    mark: /engines\/s3\.ts|startS3Server/,
  },
  {
    name: "Kubo",
    module: "github.com/ipfs/kubo@v0.43.0",
    command: "./cmd/ipfs",
    variable: "TWENTYSIX_TEST_KUBO",
    mark: /engines\/kubo\.ts|startKuboServer/,
  },
  {
    name: "a peer of rust-libp2p",
    crate: fileURLToPath(new URL("../packages/network/test/peers-rust/", import.meta.url)),
    command: "foreign-peer",
    variable: "TWENTYSIX_TEST_RUST_PEER",
    mark: /support\/foreign-peer\.ts/,
  },
  {
    name: "the vsock device of rust-vmm",
    package: "vhost-device-vsock@0.3.0",
    command: "vhost-device-vsock",
    variable: "TWENTYSIX_TEST_VSOCK_DEVICE",
    mark: /TWENTYSIX_TEST_VSOCK_DEVICE/,
  },
];

/** Whether a test file needs one of the servers. */
export function needsServer(file) {
  const text = readFileSync(file, "utf8");
  return SERVERS.some(({ mark }) => mark.test(text));
}

/** Sets the variables of the servers that the test files need; gives one line for each that cannot be had. */
export async function prepareServers(files) {
  const texts = files.map((file) => readFileSync(file, "utf8"));
  return await prepare(SERVERS.filter(({ mark }) => texts.some((text) => mark.test(text))));
}

/** Builds all of them, before any test runs; gives one line for each that cannot be had. */
export async function prepareEveryServer() {
  return await prepare(SERVERS);
}

async function prepare(servers) {
  const timeout = AbortSignal.timeout(BUILD_TIMEOUT_MS);
  const leftOut = [];
  for (const server of servers) {
    if (process.env[server.variable]) continue;
    const program = join(CACHE, programName(server));
    const problem = existsSync(program) ? undefined : await build(server, program, timeout);
    if (problem === undefined) process.env[server.variable] = program;
    else leftOut.push(`SKIPPED: the tests that need ${server.name}: ${problem}`);
  }
  return leftOut;
}

/** A program is built anew when its version or its sources change. */
function programName({ module, crate, command, package: published }) {
  if (published !== undefined) return published.replace("@", "-");
  if (module !== undefined) return module.replaceAll(/[/@]/g, "-");
  const files = ["Cargo.toml", "Cargo.lock", ...readdirSync(join(crate, "src")).map((file) => `src/${file}`)];
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(readFileSync(join(crate, file)));
  return `${command}-${hash.digest("hex").slice(0, 16)}`;
}

async function build(server, program, signal) {
  const [tool, language] = server.module === undefined ? ["cargo", "Cargo"] : ["go", "Go"];
  if (spawnSync(tool, [tool === "go" ? "version" : "--version"]).status !== 0)
    return `${language} is not installed`;
  process.stderr.write(`Building ${server.name} from its sources, once; this takes a few minutes.\n`);
  if (server.module !== undefined) return await buildModule(server, program, signal);
  if (server.package !== undefined) return await buildPackage(server, program, signal);
  return await buildCrate(server, program, signal);
}

async function buildPackage({ package: published, command }, program, signal) {
  const root = `${program}.${process.pid}`;
  const flags = [
    "--locked",
    "--no-track",
    "--root",
    root,
    "--target-dir",
    join(dirname(CACHE), "peers-rust"),
  ];
  const built = await run("cargo", ["install", ...flags, published], dirname(CACHE), signal);
  if (built.problem === undefined) renameSync(join(root, "bin", command), program);
  rmSync(root, { recursive: true, force: true });
  return built.problem;
}

async function buildCrate({ crate, command }, program, signal) {
  const target = join(dirname(CACHE), "peers-rust");
  const flags = ["--locked", "--target-dir", target];
  const built = await run("cargo", ["build", ...flags], crate, signal);
  if (built.problem !== undefined) return built.problem;
  copyFileSync(join(target, "debug", command), `${program}.${process.pid}`);
  renameSync(`${program}.${process.pid}`, program);
  return undefined;
}

/** Builds in the sources of the module, as its own main module: `go install` refuses what replaces others. */
async function buildModule({ module, command }, program, signal) {
  const found = await run("go", ["mod", "download", "-json", module], dirname(CACHE), signal);
  if (found.problem !== undefined) return found.problem;
  const sources = JSON.parse(found.output).Dir;
  const partial = `${program}.${process.pid}`;
  const flags = ["-mod=readonly", "-ldflags=-s -w"];
  const built = await run("go", ["build", ...flags, "-o", partial, command], sources, signal);
  if (built.problem !== undefined) return built.problem;
  renameSync(partial, program);
  return undefined;
}

function run(command, args, cwd, signal) {
  mkdirSync(CACHE, { recursive: true });
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], signal });
    if (child.pid !== undefined) setPriority(child.pid, NICENESS);
    let output = "";
    let errors = "";
    child.stdout.on("data", (bytes) => {
      output += bytes;
    });
    child.stderr.on("data", (bytes) => {
      errors = `${errors}${bytes}`.slice(-2_000);
    });
    const tooLong = "it took too long; what was compiled is kept, so another run gets further";
    child.once("error", (error) => resolve({ problem: signal.aborted ? tooLong : error.message }));
    child.once("close", (code) => {
      if (code === 0) return resolve({ output });
      const reason = signal.aborted ? tooLong : errors.trim().split("\n").at(-1);
      resolve({ problem: `${command} ${args[0]} failed: ${reason}` });
    });
  });
}
