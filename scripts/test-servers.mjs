// The servers that tests of other engines for files need, built from their sources by Go and kept in `.cache`.
// A machine without Go, or without a way to the sources, runs the other tests and is told what it left out.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { setPriority } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../.cache/servers/", import.meta.url));
/** For all of them together, downloads included. What was compiled by then is kept by Go for the next time. */
const BUILD_TIMEOUT_MS = 12 * 60_000;
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
];

/** Whether a test file needs one of the servers. */
export function needsServer(file) {
  const text = readFileSync(file, "utf8");
  return SERVERS.some(({ mark }) => mark.test(text));
}

/** Sets the variables of the servers that the test files need; gives one line for each that cannot be had. */
export async function prepareServers(files) {
  const texts = files.map((file) => readFileSync(file, "utf8"));
  const timeout = AbortSignal.timeout(BUILD_TIMEOUT_MS);
  const leftOut = [];
  for (const server of SERVERS) {
    if (process.env[server.variable] || !texts.some((text) => server.mark.test(text))) continue;
    const program = join(CACHE, server.module.replaceAll(/[/@]/g, "-"));
    const problem = existsSync(program) ? undefined : await build(server, program, timeout);
    if (problem === undefined) process.env[server.variable] = program;
    else leftOut.push(`SKIPPED: the tests that need ${server.name}: ${problem}`);
  }
  return leftOut;
}

/** Builds in the sources of the module, as its own main module: `go install` refuses what replaces others. */
async function build({ name, module, command }, program, signal) {
  if (spawnSync("go", ["version"]).status !== 0) return "Go is not installed";
  process.stderr.write(`Building ${name} from its sources, once; this takes a few minutes.\n`);
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
    const tooLong = "it took too long; Go keeps what it has, so another run gets further";
    child.once("error", (error) => resolve({ problem: signal.aborted ? tooLong : error.message }));
    child.once("close", (code) => {
      if (code === 0) return resolve({ output });
      const reason = signal.aborted ? tooLong : errors.trim().split("\n").at(-1);
      resolve({ problem: `${command} ${args[0]} failed: ${reason}` });
    });
  });
}
