import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { ROOT_DIR } from "./source-tree.ts";

/** A project of its own under the repository's rules, so that samples need not lie in the repository. */
const projectDir = mkdtempSync(join(tmpdir(), "twentysix-lint-"));
after(() => rmSync(projectDir, { recursive: true }));
const rules = JSON.parse(readFileSync(join(ROOT_DIR, "biome.json"), "utf8"));
writeFileSync(join(projectDir, "biome.json"), JSON.stringify({ ...rules, vcs: { enabled: false } }));
cpSync(join(ROOT_DIR, "scripts/lint"), join(projectDir, "scripts/lint"), { recursive: true });

/** What the linter says about a file with this code: the lines that are errors. */
function errorLines(path: string, code: readonly string[]): number[] {
  const file = join(projectDir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${code.join("\n")}\n`);
  const biome = join(ROOT_DIR, "node_modules/.bin/biome");
  const args = ["lint", "--reporter=github", "--diagnostic-level=error", path];
  const { stdout, status, stderr } = spawnSync(biome, args, { cwd: projectDir, encoding: "utf8" });
  assert.ok(status !== null && !stderr.includes("configuration"), stderr);
  const lines = [...stdout.matchAll(/^::error .*?line=(\d+)/gm)].map((match) => Number(match[1]));
  return [...new Set(lines)].sort((a, b) => a - b);
}

const AMBIENT = [
  "export const a = Date.now();",
  "export const b = new Date();",
  "export const c = Math.random();",
  "export const d = process.env.HOME;",
  "export const { env } = process;",
  "export const e = performance.now();",
  "export const f = Date.now;",
  "setTimeout(() => {}, 1);",
  "setInterval(() => {}, 1);",
  "setImmediate(() => {});",
  "globalThis.setTimeout(() => {}, 1);",
];

const ALLOWED = [
  "export const a = new Date(5).toISOString();",
  "export const b = Date.parse('2026-01-01');",
  "export const c = Math.floor(1.5);",
  "export const d = process.pid;",
];

describe("time, chance and environment", () => {
  for (const path of ["packages/storage/src/sample.ts", "packages/node/src/sample.ts"]) {
    test(`are refused in ${path}`, () => {
      assert.deepEqual(
        errorLines(path, AMBIENT),
        AMBIENT.map((_line, index) => index + 1),
      );
      assert.deepEqual(
        errorLines(path, ['import { setTimeout as wait } from "node:timers/promises";', "wait(1);"]),
        [1],
      );
      assert.deepEqual(errorLines(path, ALLOWED), []);
    });
  }

  for (const path of [
    "packages/platform/src/sample.ts",
    "packages/node/src/config/sample.ts",
    "packages/cli/src/sample.ts",
    "packages/storage/test/deep/sample.ts",
    "bench/sample.ts",
    "scripts/sample.mjs",
  ]) {
    test(`are at home in ${path}`, () => assert.deepEqual(errorLines(path, AMBIENT), []));
  }
});

test("any, !, default exports and the console are refused everywhere", () => {
  const code = [
    "export const a: any = 1;",
    "export const b = [1][0]!;",
    "export default a;",
    "console.log(b);",
  ];
  for (const path of ["packages/storage/src/sample.ts", "packages/platform/test/sample.ts"]) {
    assert.deepEqual(errorLines(path, code), [1, 2, 3, 4]);
  }
});
