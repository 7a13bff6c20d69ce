import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { tinyDisk } from "@twentysix/compute-node";
import { createSystemTimers } from "@twentysix/platform";
import { freeBasePort, goneAfterMs, processesOf, startUp, testFolder } from "../support/up-process.ts";

const INSTALL = fileURLToPath(new URL("../../../../scripts/python-client.mjs", import.meta.url));
const SCRIPT = fileURLToPath(new URL("./machines.py", import.meta.url));
const IMAGES = fileURLToPath(new URL("../../../../.cache/images/", import.meta.url));
const LIMIT_MS = 900_000;
const STOP_LIMIT_MS = 30_000;

interface CheckResult {
  readonly check: string;
  /** The trace of what went wrong. */
  readonly problem: string | null;
}

const isShort = process.env.TWENTYSIX_TEST_VM === "short";

test("the published Python client drives programs and instances", {
  skip: isShort,
  timeout: LIMIT_MS,
}, async (context) => {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const { python, reason } = JSON.parse(execFileSync(process.execPath, [INSTALL], { encoding: "utf8" }));
  if (python === undefined) return context.skip(reason);
  const { qcow2Path: disk } = await tinyDisk(IMAGES, { timers: createSystemTimers(), signal });
  await using folder = testFolder();
  const port = String(await freeBasePort(7));
  const flags = ["--core", "1", "--compute", "2", "--base-port", port, "--images-dir", IMAGES];
  await using up = startUp([...flags, "--data-dir", folder.path, "--json"]);
  const facts = { ...(await up.ready()), disk };
  const results = await runChecks(python, JSON.stringify(facts));
  for (const { check, problem } of results) {
    await context.test(check.replaceAll("_", " "), () => {
      assert.equal(problem, null, problem ?? "");
    });
  }
  const checks = readFileSync(SCRIPT, "utf8").matchAll(/^@check\nasync def (\w+)/gm);
  assert.deepEqual(
    results.map(({ check }) => check),
    [...checks].map(([, name]) => name),
  );
  up.process.kill("SIGTERM");
  assert.ok((await goneAfterMs(folder.path)) < STOP_LIMIT_MS);
  await up.ended;
  assert.deepEqual(processesOf(folder.path), []);
});

async function runChecks(python: string, facts: string): Promise<CheckResult[]> {
  const child = spawn(python, [SCRIPT, facts], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const output = await text(child.stdout);
  const [exitCode] = await ended;
  assert.equal(exitCode, 0);
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as CheckResult);
}
