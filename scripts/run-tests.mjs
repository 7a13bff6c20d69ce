// `npm test [-- PATH...]`: runs the test files of all packages, or those under the given paths.
// As a namespace: `globSync` is missing from an old Node, which only hands this script on to a new one.
import * as fs from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { onNode24 } from "./on-node-24.mjs";
import { startTestPostgres } from "./test-postgres.mjs";
import { needsServer, prepareServers } from "./test-servers.mjs";

const rootDir = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const TEST_FILES = ["packages/*/test/**/*.test.ts", "packages/*/test/fuzz/*.fuzz.ts"];
/** What boots guests for minutes: `npm run test:vm`. */
const VM_TEST_FILES = ["packages/*/test/**/*.vm-test.ts"];
const isVmRun = process.env.TWENTYSIX_TEST_VM !== undefined;
const DURATIONS_FILE = resolve(rootDir, ".cache/test-durations.json");
/** The longest test files, in seconds: for a checkout in which nothing was measured yet. */
const LONG_FILE = resolve(rootDir, "scripts/long-tests.json");
/** What a file is taken for that neither says anything of. */
const UNKNOWN_MS = 12_000;
/** Stands in the test files that need a PostgreSQL server. */
const POSTGRES_MARK = "onPostgres";
/** One more than has a processor: tests of whole nodes wait for a good part of their time. */
const CONCURRENCY = availableParallelism() + (process.env.TWENTYSIX_TEST_VM === undefined ? 1 : 0);
/** Guests under emulation take their time, and who asks for many sequences gives them more. */
const FILE_TIMEOUT_MS = Number(process.env.TWENTYSIX_TEST_FILE_TIMEOUT_MS ?? 15 * 60_000);
process.env.TWENTYSIX_TEST_FILE_TIMEOUT_MS = String(FILE_TIMEOUT_MS);
const END_LEFT_BEHIND = new URL("./end-left-behind.mjs", import.meta.url).href;
/** What the sources compile to, as the command line keeps it (`packages/cli/bin/runtime-tuning.mjs`). */
const COMPILED_DIR = resolve(rootDir, "node_modules/.cache/twentysix");
/** Whether files that failed are run once more, each alone: on a busy machine, tests of whole networks may lack time. */
const IS_TRIED_AGAIN = process.env.TWENTYSIX_TEST_AGAIN !== undefined;
/** More than these are no matter of a busy machine. */
const TRIED_AGAIN_FILES = 8;
/** How long each fuzz target runs as part of the tests; `npm run fuzz` runs them for hours. */
const SHORT_FUZZ_SECONDS = "5";

await onNode24(import.meta.url, async (paths) => {
  process.env.TWENTYSIX_FUZZ_SECONDS ??= SHORT_FUZZ_SECONDS;
  process.env.NODE_COMPILE_CACHE ??= COMPILED_DIR;
  const files = findTestFiles(paths);
  if (files.length === 0) {
    process.stderr.write(`no test file under ${paths.join(", ")}\n0 passed, 0 failed\n`);
    process.exitCode = 2;
    return;
  }
  const stopServices = await startServices(files);
  const durationsMs = readJson(DURATIONS_FILE);
  // Servers that are not here yet are built while the tests run that need none.
  const preparing = prepareServers(files);
  const results = new Map();
  const runAll = async (some) => {
    if (some.length > 0) await runFiles(longestFirst(some, durationsMs), CONCURRENCY, durationsMs, results);
  };
  await runAll(files.filter((file) => !needsServer(file)));
  const leftOut = await preparing;
  await runAll(files.filter(needsServer));
  writeDurations(durationsMs);
  const lines = IS_TRIED_AGAIN ? await tryAgain(results) : [];
  for (const line of [...leftOut, ...lines]) process.stdout.write(`${line}\n`);
  const passed = sum(results, "passed");
  const failed = sum(results, "failed");
  await stopServices();
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
});

/**
 * Starts what some of the test files need and tells them where it is; returns the function that stops it. A machine
 * that may not have it skips those tests, unless TWENTYSIX_TEST_POSTGRES_REQUIRED says that none may be skipped.
 */
async function startServices(files) {
  if (!files.some((file) => fs.readFileSync(file, "utf8").includes(POSTGRES_MARK))) return async () => {};
  const { url, stop = async () => {}, reason } = await startTestPostgres();
  if (url !== undefined) process.env.TWENTYSIX_TEST_POSTGRES = url;
  else if (process.env.TWENTYSIX_TEST_POSTGRES_REQUIRED !== undefined) throw new Error(reason);
  else {
    process.stderr.write(`Tests on PostgreSQL are skipped: ${reason}\n`);
    process.env.TWENTYSIX_TEST_POSTGRES_REASON = reason;
  }
  return stop;
}

function findTestFiles(paths) {
  const all = fs
    .globSync(isVmRun ? VM_TEST_FILES : TEST_FILES, { cwd: rootDir })
    .filter((file) => !file.split(sep).includes("node_modules"))
    .map((file) => resolve(rootDir, file));
  if (paths.length === 0) return all.sort();
  const wanted = paths.map((path) => resolve(process.env.INIT_CWD ?? process.cwd(), path));
  return all.filter((file) => wanted.some((path) => file === path || file.startsWith(path + sep))).sort();
}

/** The slowest files start first, so that none of them runs alone at the end. */
function longestFirst(files, durationsMs) {
  const longSeconds = readJson(LONG_FILE);
  const durationOf = (file) => {
    const path = relative(rootDir, file).split(sep).join("/");
    return durationsMs[path] ?? (longSeconds[path] === undefined ? UNKNOWN_MS : longSeconds[path] * 1_000);
  };
  return files.toSorted((a, b) => durationOf(b) - durationOf(a));
}

/** Runs the files and sets what each of them passed and failed in `results`. */
async function runFiles(files, concurrency, durationsMs, results) {
  const [{ run }, { spec }] = await Promise.all([import("node:test"), import("node:test/reporters")]);
  const events = run({
    files,
    cwd: rootDir,
    concurrency,
    timeout: FILE_TIMEOUT_MS,
    execArgv: ["--disable-warning=ExperimentalWarning", `--import=${END_LEFT_BEHIND}`],
  });
  const broken = new Set();
  for (const file of files) results.set(file, { passed: 0, failed: 0 });
  events.on("test:summary", ({ file, counts, duration_ms: durationMs }) => {
    if (file === undefined) return;
    results.set(file, { passed: counts.passed, failed: counts.failed + counts.cancelled });
    durationsMs[relative(rootDir, file).split(sep).join("/")] = Math.round(durationMs);
  });
  // A process that fell, or ended with another code than its tests ask for, fails in the name of its file.
  events.on("test:fail", ({ name }) => {
    const file = resolve(rootDir, name);
    if (results.has(file)) broken.add(file);
  });
  for await (const text of events.compose(spec)) process.stdout.write(text);
  for (const file of broken) {
    const result = results.get(file);
    if (result.failed === 0) results.set(file, { ...result, failed: 1 });
  }
}

/** Runs what failed once more, file by file, and gives a line for each that passed then: those deserve a look. */
async function tryAgain(results) {
  const lines = [];
  const failed = [...results].filter(([, result]) => result.failed > 0).slice(0, TRIED_AGAIN_FILES);
  for (const [file, first] of failed) {
    process.stdout.write(`Once more, alone: ${relative(rootDir, file)}\n`);
    await runFiles([file], 1, {}, results);
    if (results.get(file).failed === 0)
      lines.push(`UNSTEADY: ${relative(rootDir, file)}: ${first.failed} failed beside others, none alone`);
  }
  return lines;
}

function sum(results, key) {
  return [...results.values()].reduce((total, result) => total + result[key], 0);
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return {}; // Only an order of running is lost with it.
  }
}

function writeDurations(durationsMs) {
  fs.mkdirSync(dirname(DURATIONS_FILE), { recursive: true });
  fs.writeFileSync(DURATIONS_FILE, JSON.stringify(durationsMs));
}
