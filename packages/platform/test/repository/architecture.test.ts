import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import {
  codeFiles,
  importsOf,
  leavesPackage,
  type PackageFacts,
  ROOT_DIR,
  reachableFrom,
  readPackages,
  readSource,
} from "./source-tree.ts";

/** The floors of the house (docs/architecture.md): a package imports only from floors below its own. */
const FLOORS: Readonly<Record<string, number>> = {
  "@twentysix/protocol": 0,
  "@twentysix/platform": 0,
  "@twentysix/state": 1,
  "@twentysix/storage": 2,
  "@twentysix/network": 3,
  "@twentysix/contracts": 3,
  "@twentysix/sdk": 3,
  "@twentysix/core-node": 4,
  "@twentysix/compute-node": 4,
  "@twentysix/services": 4,
  "@twentysix/node": 5,
  twentysix: 7,
  "@twentysix/console": 6,
  "@twentysix/testnet": 6,
  "@twentysix/simulator": 8,
};

/** Packages that see less than their floor would let them. */
const ONLY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "@twentysix/sdk": ["@twentysix/protocol"],
  "@twentysix/console": ["@twentysix/sdk"],
};

/** Packages whose main entry runs in a browser: nothing that it reaches may need Node. */
const BROWSER_PACKAGES = ["@twentysix/protocol", "@twentysix/state", "@twentysix/sdk", "@twentysix/console"];

const MAX_LINES = 500;

const packages = readPackages();

function workspaceTarget(specifier: string): PackageFacts | undefined {
  const name = specifier.startsWith("@")
    ? specifier.split("/").slice(0, 2).join("/")
    : specifier.split("/")[0];
  return packages.get(name ?? "");
}

function packageNameOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith("node:") || builtinModules.includes(specifier);
}

test("every package has its floor", () => {
  assert.ok(packages.size > 0);
  for (const name of packages.keys())
    assert.ok(name in FLOORS, `${name} is missing from the table of floors`);
});

for (const facts of packages.values()) {
  describe(facts.name, () => {
    const sources = codeFiles(`${facts.dir}/src`);
    const allFiles = [...sources, ...codeFiles(`${facts.dir}/test`), ...codeFiles(`${facts.dir}/bin`)];

    test("imports only from the floors below", () => {
      for (const file of sources) {
        for (const specifier of importsOf(file)) {
          const target = workspaceTarget(specifier);
          if (target === undefined) continue;
          const [own = -1, theirs = 0] = [FLOORS[facts.name], FLOORS[target.name]];
          assert.ok(theirs < own, `${file} imports ${specifier}, which is not below it`);
          const allowed = ONLY_IMPORT[facts.name] ?? [target.name];
          assert.ok(allowed.includes(target.name), `${file} imports ${specifier}`);
        }
      }
    });

    test("enters other packages by their doors", () => {
      for (const file of allFiles) {
        for (const specifier of importsOf(file)) {
          if (specifier.startsWith(".")) {
            assert.ok(!leavesPackage(file, specifier, facts.dir), `${file} imports ${specifier}`);
          }
          const target = workspaceTarget(specifier);
          const subpath = target === undefined ? "." : `.${specifier.slice(target.name.length)}`;
          if (target !== undefined) assert.ok(subpath in target.exports, `${file} imports ${specifier}`);
        }
      }
    });

    test("declares what it imports", () => {
      for (const file of sources) {
        for (const specifier of importsOf(file)) {
          if (specifier.startsWith(".") || isBuiltin(specifier)) continue;
          const name = packageNameOf(specifier);
          assert.ok(
            facts.dependencies.includes(name),
            `${file} imports ${name}, which package.json does not name`,
          );
        }
      }
    });

    test("needs what it declares", () => {
      const texts = [...sources, ...codeFiles(`${facts.dir}/bin`)].map(readSource);
      const unused = facts.dependencies.filter(
        (name) => !texts.some((text) => text.includes(`"${name}"`) || text.includes(`"${name}/`)),
      );
      assert.deepEqual(unused, []);
    });

    test("has small files with telling names", () => {
      for (const file of allFiles) {
        const lines = readSource(file).split("\n").length - 1;
        assert.ok(lines <= MAX_LINES, `${file} has ${lines} lines: it has two jobs`);
        assert.doesNotMatch(basename(file), /^(utils?|helpers?|misc|common)\./, file);
      }
    });

    if (BROWSER_PACKAGES.includes(facts.name)) {
      test("runs in a browser", () => {
        const entry = join(facts.dir, facts.exports["."] ?? "src/index.ts");
        for (const file of reachableFrom(entry)) {
          for (const specifier of importsOf(file)) {
            assert.ok(!isBuiltin(specifier), `${file} imports ${specifier} and is reached from ${entry}`);
          }
        }
      });
    }
  });
}

test("doors lead to files", () => {
  const missing = [...packages.values()].flatMap(({ dir, exports }) =>
    Object.values(exports)
      .map((target) => join(dir, target))
      .filter((file) => codeFiles(`${dir}/src`).length > 0 && !existsSync(join(ROOT_DIR, file))),
  );
  assert.deepEqual(missing, []);
});

test("the reader of imports sees every form of them", () => {
  const seen = importsOf("packages/platform/test/repository/architecture.test.ts");
  assert.ok(seen.includes("node:assert/strict") && seen.includes("./source-tree.ts"), seen.join());
  assert.ok(importsOf("packages/platform/src/index.ts").includes("./clock.ts"));
  assert.ok(importsOf("packages/cli/src/main.ts").includes("@twentysix/node"), "a dynamic import");
  assert.deepEqual(importsOf("packages/cli/bin/run-with-node.mjs"), ["node:child_process"]);
  assert.ok(reachableFrom("packages/platform/src/index.ts").has("packages/platform/src/fifo.ts"));
});

test("scripts stay small too", () => {
  for (const file of codeFiles("scripts")) assert.ok(readSource(file).split("\n").length <= MAX_LINES, file);
});
