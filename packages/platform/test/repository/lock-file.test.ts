import assert from "node:assert/strict";
import { test } from "node:test";
import { readSource } from "./source-tree.ts";

interface LockEntry {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
  readonly link?: boolean;
}

const lock: Readonly<Record<string, LockEntry>> = JSON.parse(readSource("package-lock.json")).packages;

/** Where a package would be found from another one: beside it, or in a folder above. */
function candidates(from: string, name: string): string[] {
  const parts = from.split("/");
  return parts
    .map((_part, depth) => [...parts.slice(0, parts.length - depth), "node_modules", name].join("/"))
    .concat(`node_modules/${name}`);
}

test("the lock file holds the packages of every machine: npm ci refuses it otherwise", () => {
  const missing = Object.entries(lock).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !candidates(path, name).some((candidate) => candidate in lock))
      .map((name) => `${path} needs ${name}`),
  );
  assert.deepEqual(missing, []);
});

test("the lock file names no registry: each user's own is used", () => {
  for (const [path, { resolved, link }] of Object.entries(lock)) {
    assert.ok(resolved === undefined || link === true, `${path} comes from ${resolved}`);
  }
});
