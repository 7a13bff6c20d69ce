import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { ROOT_DIR } from "./source-tree.ts";

const dir = mkdtempSync(join(tmpdir(), "twentysix-tests-"));
after(() => rmSync(dir, { recursive: true }));

const HEADER = 'import { describe, test } from "node:test";\n';
const FILES = {
  "package.json": '{"type":"module"}',
  // Nothing to install.
  "package-lock.json": '{"packages":{}}',
  "node_modules/.package-lock.json": '{"packages":{}}',
  "packages/a/test/good.test.ts": `${HEADER}describe("group", () => { test("one", () => {}); test("two", () => {}); });`,
  "packages/a/test/deep/bad.test.ts": `${HEADER}test("three", () => { throw new Error("wrong"); }); test.skip("four", () => {});`,
  "packages/b/test/broken.test.ts": "this is no program",
  "packages/b/test/helper.ts": "throw new Error('is no test file');",
  "packages/c/test/fuzz/target.fuzz.ts": `${HEADER}test(\`fuzz \${process.env.TWENTYSIX_FUZZ_SECONDS} s\`, () => {});`,
};
for (const [path, text] of Object.entries(FILES)) write(path, text);
for (const path of [
  "scripts/run-tests.mjs",
  "scripts/test-servers.mjs",
  "scripts/end-left-behind.mjs",
  "scripts/fuzz.mjs",
  "scripts/on-node-24.mjs",
  "scripts/installation.mjs",
  "scripts/test-postgres.mjs",
])
  copy(path);
for (const path of ["packages/cli/bin/node-runtime.mjs", "packages/cli/bin/run-with-node.mjs"]) copy(path);

/** What says how this very run is made. */
const RUN_VARIABLES = ["TWENTYSIX_TEST_AGAIN", "TWENTYSIX_TEST_FILE_TIMEOUT_MS"];

function write(path: string, text: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}

function copy(path: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  cpSync(join(ROOT_DIR, path), join(dir, path));
}

function run(script: string, ...args: string[]) {
  return runIn({}, script, ...args);
}

function runIn(variables: Readonly<Record<string, string>>, script: string, ...args: string[]) {
  // A test runner inside a test runner refuses to run unless it does not know.
  const own = ["NODE_TEST_CONTEXT", "TWENTYSIX_FUZZ_SECONDS", "INIT_CWD", ...RUN_VARIABLES];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.includes(name)));
  const result = spawnSync(process.execPath, [join(dir, "scripts", script), ...args], {
    cwd: dir,
    env: { ...env, ...variables },
    encoding: "utf8",
  });
  return { ...result, lastLine: result.stdout.trimEnd().split("\n").at(-1) };
}

describe("run-tests", { timeout: 120_000 }, () => {
  test("counts test cases, not groups; a file that does not load is a failure", () => {
    const { status, lastLine, stdout } = run("run-tests.mjs");
    assert.equal(lastLine, "3 passed, 2 failed");
    assert.equal(status, 1);
    assert.match(stdout, /wrong/);
    assert.match(stdout, /fuzz 5 s/, "fuzz targets run shortly");
  });

  test("runs what lies under the given paths", () => {
    const good = run("run-tests.mjs", "packages/a/test/good.test.ts");
    assert.deepEqual([good.status, good.lastLine], [0, "2 passed, 0 failed"]);
    const folder = run("run-tests.mjs", "packages/a");
    assert.deepEqual([folder.status, folder.lastLine], [1, "2 passed, 1 failed"]);
  });

  test("says aloud which tests it left out because their server cannot be had", () => {
    const path = "packages/d/test/server.test.ts";
    const skip = "{ skip: !process.env.TWENTYSIX_TEST_S3_SERVER }";
    const mark = ["start", "S3Server"].join(""); // In one word it would make this very file need one.
    write(path, `${HEADER}// Needs ${mark}.\ntest("needs a server", ${skip}, () => {});`);
    try {
      const withoutGo = { PATH: "/nowhere", TWENTYSIX_TEST_S3_SERVER: "" };
      const { status, stdout, lastLine } = runIn(withoutGo, "run-tests.mjs", "packages/d");
      assert.deepEqual([status, lastLine], [0, "0 passed, 0 failed"]);
      assert.match(stdout, /^SKIPPED: the tests that need versitygw \(S3\): Go is not installed$/m);
      const named = runIn({ TWENTYSIX_TEST_S3_SERVER: "/some/server" }, "run-tests.mjs", "packages/d");
      assert.equal(named.lastLine, "1 passed, 0 failed");
    } finally {
      rmSync(join(dir, path));
    }
  });

  test("runs what failed once more where it is asked to, and says what passed then", () => {
    const path = "packages/d/test/unsteady.test.ts";
    const body = `{ if (!existsSync("tried")) { writeFileSync("tried", ""); throw new Error("at first"); } }`;
    const imports = 'import { existsSync, writeFileSync } from "node:fs";\n';
    write(path, `${HEADER}${imports}test("second time", () => ${body});\ntest("always", () => {});`);
    try {
      const again = { TWENTYSIX_TEST_AGAIN: "1" };
      const { status, stdout, lastLine } = runIn(
        again,
        "run-tests.mjs",
        "packages/d",
        "packages/a/test/deep",
      );
      assert.deepEqual([status, lastLine], [1, "2 passed, 1 failed"]);
      assert.match(
        stdout,
        /^UNSTEADY: packages\/d\/test\/unsteady\.test\.ts: 1 failed beside others, none alone$/m,
      );
      assert.doesNotMatch(stdout, /UNSTEADY: packages\/a/, "what fails twice fails");
      rmSync(join(dir, "tried"));
      assert.equal(run("run-tests.mjs", "packages/d").lastLine, "1 passed, 1 failed", "not by itself");
    } finally {
      rmSync(join(dir, path));
    }
  });

  test("a file whose process does not end fails and says what holds it", () => {
    const path = "packages/d/test/held.test.ts";
    write(path, `${HEADER}test("passes", () => {}); setInterval(() => {}, 1_000);`);
    try {
      const limits = { TWENTYSIX_TEST_FILE_TIMEOUT_MS: "2000", TWENTYSIX_TEST_FILE_GRACE_MS: "0" };
      const { status, stdout, lastLine } = runIn(limits, "run-tests.mjs", "packages/d");
      assert.deepEqual([status, lastLine], [1, "0 passed, 1 failed"]);
      assert.match(stdout, /did not end within 2 s; it is held by: .*Timeout/);
    } finally {
      rmSync(join(dir, path));
    }
  });

  test("nothing to run is a mistake, not a success", () => {
    const none = run("run-tests.mjs", "packages/zzz");
    assert.equal(none.status, 2);
    assert.match(none.stderr, /no test file under packages\/zzz/);
  });
});

describe("fuzz", { timeout: 60_000 }, () => {
  test("gives each target its time", () => {
    const { status, lastLine, stdout } = run("fuzz.mjs", "--seconds", "7");
    assert.deepEqual([status, lastLine], [0, "1 passed, 0 failed"]);
    assert.match(stdout, /fuzz 7 s/);
    assert.equal(run("fuzz.mjs", "--seconds", "soon").status, 2);
    assert.equal(run("fuzz.mjs", "packages/a").status, 2);
  });
});
