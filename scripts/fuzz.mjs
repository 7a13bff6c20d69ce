// `npm run fuzz [-- --seconds N] [PATH...]`: runs each fuzz target for N seconds (default: 2 hours).
import { spawnSync } from "node:child_process";
// As a namespace: `globSync` is missing from an old Node, which only hands this script on to a new one.
import * as fs from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { onNode24 } from "./on-node-24.mjs";

const rootDir = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const DEFAULT_SECONDS = 2 * 60 * 60;

await onNode24(import.meta.url, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { seconds: { type: "string" } },
  });
  const seconds = Number(values.seconds ?? process.env.TWENTYSIX_FUZZ_SECONDS ?? DEFAULT_SECONDS);
  if (!(seconds > 0)) {
    process.stderr.write("--seconds: expected a number greater than 0\n");
    process.exitCode = 2;
    return;
  }
  const targets = findTargets(positionals);
  if (targets.length === 0) {
    process.stderr.write("there is no fuzz target packages/*/test/fuzz/*.fuzz.ts that matches\n");
    process.exitCode = 2;
    return;
  }
  const failed = targets.filter((target) => !runTarget(target, seconds));
  process.stdout.write(`${targets.length - failed.length} passed, ${failed.length} failed\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
});

function findTargets(paths) {
  const wanted = paths.map((path) => resolve(process.env.INIT_CWD ?? process.cwd(), path));
  return fs
    .globSync("packages/*/test/fuzz/*.fuzz.ts", { cwd: rootDir })
    .map((file) => resolve(rootDir, file))
    .filter((file) => wanted.length === 0 || wanted.some((path) => file.startsWith(path)))
    .sort();
}

function runTarget(target, seconds) {
  process.stdout.write(`${target}: ${seconds} s\n`);
  const result = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", target], {
    cwd: rootDir,
    stdio: "inherit",
    env: { ...process.env, TWENTYSIX_FUZZ_SECONDS: String(seconds) },
  });
  return result.status === 0;
}
