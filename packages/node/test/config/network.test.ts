import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadNetwork } from "../../src/network.ts";
import { SettingError } from "../../src/setting-error.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** The definition of `local`, changed, in a file. */
function definitionFile(folder: string, change: (definition: Record<string, unknown>) => void): string {
  const shipped = new URL("../../../../networks/local.json", import.meta.url);
  const definition = JSON.parse(readFileSync(shipped, "utf8")) as Record<string, unknown>;
  change(definition);
  const path = join(folder, "network.json");
  writeFileSync(path, JSON.stringify(definition));
  return path;
}

const refusal = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SettingError);
  assert.match(error.message, pattern);
  return true;
};

test("a network is a shipped name or a file", () => {
  using folder = temporaryFolder("network");
  assert.equal(loadNetwork("mainnet").name, "mainnet");
  const path = definitionFile(folder.path, (definition) => Object.assign(definition, { name: "mine" }));
  assert.equal(loadNetwork(path).name, "mine");
});

test("what is no definition is refused with the place of the mistake", () => {
  using folder = temporaryFolder("network");
  const path = definitionFile(folder.path, (definition) =>
    Object.assign(definition.switches as object, { canonicalOrder: "on" }),
  );
  assert.throws(
    () => loadNetwork(path),
    refusal(/network\.json is not a network definition: switches\.canonicalOrder: /),
  );
  writeFileSync(path, "{");
  assert.throws(() => loadNetwork(path), refusal(/is not valid JSON/));
  assert.throws(
    () => loadNetwork("nowhere"),
    refusal(/the network "nowhere" is not shipped: choose one of local, mainnet/),
  );
});

test("a network whose rules this version cannot follow is refused", () => {
  using folder = temporaryFolder("network");
  const path = definitionFile(folder.path, (definition) =>
    Object.assign(definition.switches as object, { contractWallets: true }),
  );
  assert.throws(
    () => loadNetwork(path),
    refusal(/contractWallets needs an EVM chain that the network anchors on/),
  );
});
